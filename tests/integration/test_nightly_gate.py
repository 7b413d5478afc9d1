"""A night never makes a good shop worse, and what an operator decided stays decided."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from recsys.config.shop import GateLimits, load_shop
from recsys.core.domain import Event, Item
from recsys.core.errors import ConfigurationError, GateRefused, LockLost, NotFound, Unavailable
from recsys.core.event_types import EventType
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis import keys
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels
from recsys.training.settings import ModelSettings
from spark_jobs.nightly import publisher, run
from spark_jobs.nightly.plan import Step
from spark_jobs.nightly.run import rebuild, remove_stored
from spark_jobs.nightly.run_folder import Window
from tests.integration.conftest import Command, Seed
from tests.integration.nightly_shop import (
    ALS,
    DAY_MS,
    NOW_MS,
    KeptNight,
    Nightly,
    a_nightly,
    an_event,
)
from tests.mounted_disk import mounted
from tests.stack_fixture import Recsys

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
WINDOW = Window(0, NOW_MS + 60 * DAY_MS)
CHANGED = ModelSettings(replace(ALS, factors=8))
Shop = Callable[[str], Nightly]
# The shop of the tests that add no events.
STEADY = "steady"


def loyal_events() -> list[Event]:
    """UserLists of two tastes who bought some of theirs ten days ago and some more today."""
    return [
        an_event(f"s{n}", f"{'ab'[n % 2]}{(n + step) % 30}", days_ago=10 if step < 9 else 0)
        for n in range(150)
        for step in (0, 2, 4, 6, 8, 10, 12)
    ]


@pytest.fixture(scope="module")
def steady_night(tmp_path_factory: pytest.TempPathFactory) -> KeptNight:
    """The first night over STEADY, once a test has had it."""
    return KeptNight(tmp_path_factory.mktemp("steady-night") / "models")


@pytest.fixture
def loyal(seed: Seed, nightly: Nightly, steady_night: KeptNight) -> Shop:
    """Makes a shop of a name, where the model can be judged and is good, after its first night."""

    def make(tenant: str) -> Nightly:
        events = loyal_events()
        items = {event.item_id: Item(event.item_id, title="Sold") for event in events}
        seed(tenant, events, list(items.values()))
        shop = a_nightly(
            nightly.settings.hbase_thrift, nightly.redis_url, nightly.settings.model_store, tenant
        )
        shop.plan = replace(shop.plan, window=WINDOW, holdout_days=5.0)
        shop.first = steady_night if tenant == STEADY else None
        shop.first_night()
        evaluation = shop.manifest().evaluation
        assert evaluation is not None
        assert evaluation.users >= 100
        return shop

    return make


def test_a_candidate_that_cannot_be_judged_does_not_replace_one_that_was(
    loyal: Shop, hbase_pool: HBasePool
) -> None:
    """The feed of purchases breaks for a month; views still come in."""
    shop = loyal("brokenfeed")
    before, answer = shop.serving(), shop.recommended("s3")
    views = [an_event(f"s{n}", f"a{n % 30}", "view", days_ago=-n / 4) for n in range(120)]
    HBaseInteractionStore(hbase_pool).put_many("brokenfeed", views, ids_given=False)

    with pytest.raises(GateRefused, match="it cannot be evaluated, but the serving version was"):
        shop.run()

    assert shop.serving() == before
    assert shop.recommended("s3") == answer
    refused = shop.versions()[-1]
    assert refused != before
    gate = shop.models.manifest("brokenfeed", refused).gate
    assert gate is not None
    assert not gate.forced
    assert "only 0 users have held-out events" in gate.refusals[0]

    shop.run([Step.PUBLISH], force=True)

    assert shop.serving() == refused
    gate = shop.manifest().gate
    assert gate is not None
    assert gate.forced
    assert any("gate overridden by --force: it cannot be evaluated" in line for line in shop.said)


def test_a_collapse_is_refused_where_nothing_can_be_judged(
    loyal: Shop, hbase_pool: HBasePool
) -> None:
    """A window that was mistyped leaves a tenth of the shoppers."""
    shop = loyal("collapsing")
    before = shop.serving()
    generous = replace(load_shop(), gate=GateLimits(min_judged_users=10_000))
    tenth = [f"s{n}" for n in range(15)]
    late = [an_event(user, f"a{n}", days_ago=-30) for n, user in enumerate(tenth)]
    HBaseInteractionStore(hbase_pool).put_many("collapsing", late, ids_given=False)

    with pytest.raises(GateRefused, match=r"users with a personal list fall from 150 to 15") as no:
        shop.run(window=Window(NOW_MS + 20 * DAY_MS, WINDOW.end_ms), shop=generous)

    assert "max_users_drop" in str(no.value)
    assert "--force" in str(no.value)
    assert shop.serving() == before


def test_the_gate_compares_with_the_last_version_when_redis_has_lost_it(
    loyal: Shop, hbase_pool: HBasePool
) -> None:
    shop = loyal("lostredis")
    before = shop.serving()
    generous = replace(load_shop(), gate=GateLimits(min_judged_users=10_000))
    late = [an_event(f"s{n}", f"a{n}", days_ago=-30) for n in range(15)]
    HBaseInteractionStore(hbase_pool).put_many("lostredis", late, ids_given=False)
    with connect(shop.redis_url) as redis:
        redis.flushdb()

    with pytest.raises(GateRefused, match=r"users with a personal list fall from 150 to 15"):
        shop.run(window=Window(NOW_MS + 20 * DAY_MS, WINDOW.end_ms), shop=generous)

    assert shop.serving() is None
    assert any(f"comparing with {before}, the last one" in line for line in shop.said)


def test_a_catalogue_that_was_emptied_is_refused(loyal: Shop, hbase_pool: HBasePool) -> None:
    """Without a catalogue all that has events may be recommended: no item seems lost."""
    shop = loyal("emptied")
    before, items = shop.serving(), HBaseItemStore(hbase_pool)
    for item in list(items.scan("emptied")):
        assert items.replace("emptied", item.item_id, item, None)

    with pytest.raises(GateRefused, match="the catalogue is empty, and that of the serving"):
        shop.run()

    assert shop.serving() == before


def test_a_shop_whose_own_settings_are_gone_is_not_trained_without_them(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = nightly.plan.shop
    own = replace(shipped, event_types={**shipped.event_types, "wish": EventType(0.5)})
    nightly.run(shop=own)
    before = nightly.versions()

    with monkeypatch.context() as patch:
        patch.delattr(run, "spark_session")
        with pytest.raises(ConfigurationError, match="types wish"):
            nightly.run()

    assert nightly.versions() == before
    nightly.run([Step.READ])
    nightly.run(force=True)
    assert len(nightly.versions()) == 2


def test_a_version_that_serves_but_cannot_be_read_is_not_replaced(loyal: Shop) -> None:
    shop = loyal(STEADY)
    before = shop.serving()
    assert before is not None
    (shop.settings.model_store / STEADY / before / "manifest.json").write_text("{}")

    with pytest.raises(GateRefused, match=r"the serving version .* cannot be compared with"):
        shop.run(model=CHANGED)

    assert shop.serving() == before


def test_rollback_is_sticky(nightly: Nightly) -> None:
    nightly.first_night()
    first = nightly.serving()
    nightly.run(model=CHANGED)
    second = nightly.serving()
    assert first is not None
    assert second is not None
    nightly.serve_stored(first)

    nightly.run(model=CHANGED)

    assert nightly.serving() == first
    assert nightly.versions() == [first, second]
    assert f"from which an operator went back: {first} goes on serving" in nightly.said[-1]
    with pytest.raises(GateRefused, match=f"`recsys models serve {second}` brings it back"):
        nightly.run([Step.PUBLISH])

    nightly.serve_stored(second)
    nightly.run(model=CHANGED)

    assert nightly.serving() == second
    assert "which serves" in nightly.said[-1]


def test_new_data_after_a_rollback_makes_a_new_version(nightly: Nightly) -> None:
    nightly.first_night()
    first = nightly.serving()
    nightly.run(model=CHANGED)
    assert first is not None
    nightly.serve_stored(first)

    nightly.run(model=ModelSettings(replace(ALS, factors=4)))

    assert nightly.serving() == nightly.versions()[-1]
    assert len(nightly.versions()) == 3


def test_going_back_to_a_version_that_redis_still_has_moves_the_pointer_only(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly.first_night()
    first, answer = nightly.serving(), nightly.recommended("viewer")
    nightly.run(model=CHANGED)
    second = nightly.serving()
    assert first is not None
    assert second is not None
    with monkeypatch.context() as patch:
        # Neither Spark nor HBase nor the lock, which a nightly run may hold.
        patch.setattr("spark_jobs.nightly.run._publisher", None)
        for version in (first, second, first):
            nightly.serve_stored(version)

    assert nightly.serving() == first
    assert nightly.recommended("viewer") == answer
    assert nightly.keys() == {first, second}
    assert nightly.models.last_two(nightly.plan.tenant) == [first, second]


def test_going_back_takes_a_moment_at_the_command_line(nightly: Nightly, recsys: Recsys) -> None:
    nightly.first_night()
    first = nightly.serving()
    nightly.run(model=CHANGED)
    assert first is not None
    begun = time.monotonic()

    done = recsys(
        *("models", "serve", first, "--tenant", nightly.plan.tenant),
        REDIS_URL=nightly.redis_url,
        RECSYS_MODEL_STORE=str(nightly.settings.model_store),
    )

    assert done.returncode == 0, done.stderr
    assert f"{first} serves now" in done.stderr
    assert "starting Spark" not in done.stderr
    # 5 s are promised on a machine at rest; the tests' may be busy.
    assert time.monotonic() - begun < 30
    assert nightly.serving() == first


def test_an_older_version_is_published_anew(nightly: Nightly) -> None:
    nightly.first_night()
    first, answer = nightly.serving(), nightly.recommended("viewer")
    for factors in (8, 4):
        nightly.run(model=ModelSettings(replace(ALS, factors=factors)))
    assert first is not None
    assert nightly.keys().isdisjoint({first})

    nightly.serve_stored(first)

    assert nightly.recommended("viewer") == answer
    assert "are not in Redis any more: publishing them again" in nightly.said[-3]


def test_a_run_that_lost_its_lock_stops_before_it_writes(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock expires while a step runs, and another run takes it."""
    nightly.first_night()
    before = nightly.serving()
    with connect(nightly.redis_url) as redis, monkeypatch.context() as patch:
        saved = ModelFiles.save

        def lose(self: ModelFiles, *sides: object) -> object:
            redis.set(keys.nightly_lock(nightly.plan.tenant), "another run")
            return saved(self, *sides)  # type: ignore[arg-type]

        patch.setattr(ModelFiles, "save", lose)
        with pytest.raises(LockLost, match="lost its lock"):
            nightly.run(model=CHANGED)
        redis.delete(keys.nightly_lock(nightly.plan.tenant))

    assert nightly.said[-1].startswith("[train] done")
    assert nightly.serving() == before
    assert nightly.keys() == {before}


@contextmanager
def what_serves_stays_when(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch, happens: Callable[[redis.Redis], object]
) -> Iterator[redis.Redis]:
    """Let something happen in Redis when all records of a second night, which the block runs, are
    written, before the pointer moves.
    """
    nightly.first_night()
    before = nightly.serving()
    marked = ModelFiles.mark_serving
    with connect(nightly.redis_url) as client, monkeypatch.context() as patch:

        def mark(self: ModelFiles, tenant: str, version: str) -> None:
            marked(self, tenant, version)
            happens(client)

        patch.setattr(ModelFiles, "mark_serving", mark)
        yield client

    assert nightly.serving() == before
    assert nightly.models.last_serving(nightly.plan.tenant) == before


def test_of_two_runs_that_both_believe_to_hold_the_lock_one_publishes(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = keys.nightly_lock(nightly.plan.tenant)
    with what_serves_stays_when(nightly, monkeypatch, lambda r: r.set(lock, "another")) as client:
        with pytest.raises(LockLost, match="lost its lock before it could move the pointer"):
            nightly.run(model=CHANGED)
        client.delete(lock)


def test_where_redis_refuses_the_pointer_what_serves_is_still_what_is_marked(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(client: redis.Redis) -> None:
        client.config_set("maxmemory", "1")

    with what_serves_stays_when(nightly, monkeypatch, fill) as client:
        limit = client.config_get("maxmemory")["maxmemory"]
        try:
            with pytest.raises(Unavailable, match="maxmemory"):
                nightly.run(model=CHANGED)
        finally:
            client.config_set("maxmemory", limit)


def test_a_version_that_an_operator_chose_during_a_run_goes_on_serving(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly.first_night()
    first = nightly.serving()
    nightly.run(model=CHANGED)
    second = nightly.serving()
    assert first is not None
    written = publisher.publish_users
    with monkeypatch.context() as patch:

        def go_back_meanwhile(*arguments: object) -> None:
            written(*arguments)  # type: ignore[arg-type]
            nightly.serve_stored(first)

        patch.setattr(publisher, "publish_users", go_back_meanwhile)
        with pytest.raises(LockLost, match="another version serves now"):
            nightly.run(model=ModelSettings(replace(ALS, factors=4)))

    assert nightly.serving() == first
    assert nightly.models.last_two(nightly.plan.tenant) == [first, second]


class Died(Exception):
    """The run ends here, as if the machine had gone."""


@pytest.mark.parametrize("redis_is_lost", [False, True])
def test_pointer_and_mark_agree_again_after_a_crash_between_them(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch, redis_is_lost: bool
) -> None:
    nightly.first_night()
    first, tenant = nightly.serving(), nightly.plan.tenant

    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(RedisPublishedModels, "activate", die)
        with pytest.raises(Died):
            nightly.run(model=CHANGED)
    second = nightly.versions()[-1]
    assert nightly.serving() == first
    if redis_is_lost:
        with connect(nightly.redis_url) as redis:
            redis.flushdb()

    rebuild(nightly.settings, tenant, None, nightly.said.append)

    # What the gate let pass goes on; what shoppers see is never older than what they have seen.
    assert nightly.serving() == (second if redis_is_lost else first)
    assert nightly.models.last_serving(tenant) == nightly.serving()


def test_refused_nights_do_not_fill_the_disk(loyal: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One rule for all versions: the newest few, the one that serves, and the one before it."""
    monkeypatch.setattr(publisher, "MODELS_KEPT", 2)
    shop = loyal(STEADY)
    serving = shop.serving()
    never = replace(load_shop(), gate=GateLimits(max_ndcg_drop=0.0, min_judged_users=1))
    for seed in range(2, 5):
        worse = replace(ALS, factors=4, iterations=1, seed=seed)
        with pytest.raises(GateRefused):
            shop.run(model=ModelSettings(worse), shop=never)

    assert len(shop.versions()) == 1 + publisher.MODELS_KEPT
    assert serving in shop.versions()
    assert shop.serving() == serving


def test_a_version_made_by_a_clock_that_was_set_back_can_be_published_though_it_was_refused(
    loyal: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "MODELS_KEPT", 1)
    shop = loyal(STEADY)
    first = shop.serving()
    monkeypatch.setattr(run, "utc_now_ms", lambda: NOW_MS)
    never = replace(load_shop(), gate=GateLimits(max_ndcg_drop=0.0, min_judged_users=1))
    worse = ModelSettings(replace(ALS, factors=4, iterations=1, seed=2))

    with pytest.raises(GateRefused):
        shop.run(model=worse, shop=never)

    made, newest = shop.versions()
    assert (made < newest, newest) == (True, first)
    shop.run([Step.PUBLISH], shop=never, force=True)
    assert shop.serving() == made
    # The night after that, by the right clock again, goes on as ever.
    monkeypatch.undo()
    shop.run(model=CHANGED)
    assert shop.versions() == sorted([made, str(first), str(shop.serving())])


def test_a_full_disk_ends_a_run_in_one_line_and_leaves_nothing(
    nightly: Nightly, recsys_here: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mounted(tmp_path / "disk", "size=100k") as disk:
        monkeypatch.setenv("RECSYS_MODEL_STORE", str(disk))

        code, _, told = recsys_here("nightly", "--factors", "128")

        assert code == 1
        last = told.strip().splitlines()[-1]
        assert last.startswith("error: cannot use ")
        assert "No space left on device; make room on its disk" in last
        assert not list(disk.rglob(".*.part"))
        assert ModelFiles(disk).versions(nightly.plan.tenant) == []


def test_what_a_killed_run_left_on_the_disk_is_removed_by_the_next(nightly: Nightly) -> None:
    left = nightly.settings.model_store / nightly.plan.tenant / ".20200101T000000Z-dead.part"
    left.mkdir(parents=True)
    (left / "items.safetensors").write_bytes(b"half")

    nightly.run([Step.READ])

    assert not left.exists()


def test_versions_are_removed_by_the_operator_but_for_the_one_that_serves(
    nightly: Nightly, recsys_here: Command
) -> None:
    nightly.first_night()
    first, tenant = nightly.serving(), nightly.plan.tenant
    nightly.run(model=CHANGED)
    second = nightly.serving()
    assert first is not None
    assert second is not None

    with pytest.raises(GateRefused, match="serves: let another one serve first"):
        remove_stored(nightly.settings, tenant, second, nightly.said.append)
    with pytest.raises(NotFound, match="there is no version v9"):
        remove_stored(nightly.settings, tenant, "v9", nightly.said.append)
    code, _, told = recsys_here("models", "remove", first)

    assert code == 0, told
    assert nightly.versions() == [second]
    assert nightly.keys() == {second}
    _, shown, _ = recsys_here("models", "show", second)
    assert json.loads(shown)["gate"] == {"refusals": [], "forced": False}


def test_what_served_before_redis_lost_it_is_not_removed(nightly: Nightly) -> None:
    """It is what the next night compares with, and what recsys rebuild lets serve again."""
    nightly.first_night()
    serving = nightly.serving()
    assert serving is not None
    with connect(nightly.redis_url) as redis:
        redis.flushdb()

    with pytest.raises(GateRefused, match="serves: let another one serve first"):
        remove_stored(nightly.settings, nightly.plan.tenant, serving, nightly.said.append)
    assert nightly.versions() == [serving]
