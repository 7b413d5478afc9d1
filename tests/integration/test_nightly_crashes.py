"""A run that dies leaves the old version serving, and the next one makes up for it."""

import itertools
import os
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import pytest
from py4j.protocol import Py4JError

from infra.local.stack import Stack
from recsys.core.errors import AlreadyRunning, InvalidModel, NotFound, Unavailable
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis import keys
from recsys.stores.redis.connect import connect
from recsys.stores.redis.lock import nightly_lock
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.room import Eviction, Room
from recsys.training.settings import ModelSettings
from spark_jobs.nightly import publisher
from spark_jobs.nightly.plan import Step
from spark_jobs.nightly.publish_recommendations import publish_shard
from spark_jobs.nightly.run_folder import RunFolder, Window
from tests.integration.conftest import LOCK_SECONDS
from tests.integration.nightly_shop import ALS, NOW_MS, Nightly
from tests.integration.redis_server import StallingProxy
from tests.stack_fixture import job_environment, recsys_command

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
CHANGED = ModelSettings(replace(ALS, factors=8))
Die = Callable[[pytest.MonkeyPatch, Nightly], None]


class Died(BaseException):
    """The run ends here, as if the machine had gone: nothing of ours catches it."""


def _die(*_: object, **__: object) -> NoReturn:
    raise Died


def in_(owner: object, method: str) -> Die:
    """Die when this is called."""
    return lambda patch, _: patch.setattr(owner, method, _die)


def after_half_of_the_users(
    patch: pytest.MonkeyPatch, nightly: Nightly, error: Exception | None = None
) -> None:
    def publish_half(_spark: object, _store: object, _url: object, manifest: object) -> NoReturn:
        tenant, version = manifest.tenant, manifest.version  # type: ignore[attr-defined]
        model = nightly.models.model(tenant, version)
        half = len(model.users.ids) // 2
        assert publish_shard(nightly.published, tenant, version, model, range(half)) == half
        raise error or Died

    patch.setattr(publisher, "publish_users", publish_half)


@pytest.mark.parametrize(
    "die",
    [
        pytest.param(in_(RunFolder, "save_snapshot"), id="reading"),
        pytest.param(in_(ModelFiles, "save"), id="saving the model"),
        pytest.param(in_(RunFolder, "save_candidate"), id="after saving the model"),
        pytest.param(in_(ModelFiles, "amend"), id="evaluating"),
        pytest.param(after_half_of_the_users, id="after half of the users"),
        pytest.param(in_(RedisPublishedModels, "write_items"), id="writing the items"),
        pytest.param(in_(RedisPublishedModels, "activate"), id="moving the pointer"),
    ],
)
def test_a_run_that_dies_leaves_the_old_version_serving_and_a_rerun_converges(
    nightly: Nightly, die: Die
) -> None:
    nightly.first_night()
    first, answer = nightly.serving(), nightly.recommended("viewer")

    with pytest.MonkeyPatch.context() as patch:
        die(patch, nightly)
        with pytest.raises(Died):
            nightly.run(model=CHANGED)

    assert nightly.serving() == first
    assert nightly.recommended("viewer") == answer

    nightly.run(model=CHANGED)

    assert nightly.serving() != first
    assert nightly.keys() == {first, nightly.serving()}
    assert nightly.recommended("c3", limit=1) == ["c3"]


def test_what_a_dead_run_half_wrote_is_removed_by_the_next_whatever_becomes_of_it(
    nightly: Nightly,
) -> None:
    nightly.first_night()
    first = nightly.serving()
    with pytest.MonkeyPatch.context() as patch:
        after_half_of_the_users(patch, nightly)
        with pytest.raises(Died):
            nightly.run(model=CHANGED)
    assert len(nightly.keys()) == 2

    nightly.run([Step.READ])

    assert nightly.keys() == {first}


@pytest.mark.parametrize(
    "error",
    [Unavailable("redis", "it is full"), NotFound("no users.safetensors"), Py4JError("Java")],
    ids=["full", "no model on an executor", "no Java"],
)
def test_a_redis_that_a_new_version_filled_has_room_again_when_the_run_has_failed(
    nightly: Nightly, error: Exception
) -> None:
    nightly.first_night()
    first, answer = nightly.serving(), nightly.recommended("viewer")

    with pytest.MonkeyPatch.context() as patch:
        after_half_of_the_users(patch, nightly, error)
        with pytest.raises(type(error), match=str(error)):
            nightly.run(model=CHANGED)

    assert nightly.keys() == {first}
    assert nightly.recommended("viewer") == answer
    nightly.run(model=CHANGED)
    assert nightly.keys() == {first, nightly.serving()}


def test_a_run_that_lost_its_lock_leaves_what_another_one_may_be_writing(nightly: Nightly) -> None:
    nightly.first_night()
    first = nightly.serving()

    def lose_the_lock(*_: object, **__: object) -> NoReturn:
        with connect(nightly.redis_url) as redis:
            redis.set(keys.nightly_lock(nightly.plan.tenant), "another run", px=100)
        raise Unavailable("redis", "it is full")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RedisPublishedModels, "write_items", lose_the_lock)
        with pytest.raises(Unavailable, match="it is full"):
            nightly.run(model=CHANGED)

    assert len(nightly.keys() - {first}) == 1


def test_a_version_whose_records_redis_removed_does_not_serve(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly.first_night()
    first, evicted = nightly.serving(), itertools.count(7)

    monkeypatch.setattr(publisher, "eviction", lambda _: Eviction("allkeys-lru", next(evicted)))
    with pytest.raises(InvalidModel, match=r"removed 1 key while .* set noeviction"):
        nightly.run(model=CHANGED)

    assert nightly.keys() == {first}
    assert any("allkeys-lru; 7 keys since it was started" in line for line in nightly.said)


def test_too_little_room_in_redis_is_told_before_the_training(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly.first_night()
    nightly.run(model=CHANGED)
    assert not [line for line in nightly.said if "Redis has room" in line]

    # One mebibyte is what the version before would leave.
    serving = nightly.serving()
    monkeypatch.setattr(
        publisher,
        "room_beside",
        lambda _, __, version, ___: Room(3 * 2**20, (5 if version == serving else 1) * 2**20),
    )
    nightly.run(model=ModelSettings(replace(ALS, factors=4)))

    told = next(at for at, line in enumerate(nightly.said) if "Redis has room for 3.0 MiB" in line)
    assert "takes 5.0 MiB" in nightly.said[told]
    assert told < nightly.said.index("[train]")


def test_the_version_before_leaves_redis_where_there_is_no_room_for_a_third(
    nightly: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly.first_night()
    first = nightly.serving()
    nightly.run(model=CHANGED)
    second = nightly.serving()
    assert first is not None
    assert nightly.keys() == {first, second}
    while_published: list[set[str]] = []
    publish_users = publisher.publish_users

    def seen(*arguments: object) -> None:
        while_published.append(nightly.keys())
        publish_users(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(publisher, "publish_users", seen)
    monkeypatch.setattr(publisher, "room_beside", lambda *_: Room(3 * 2**20, 5 * 2**20))
    nightly.run(model=ModelSettings(replace(ALS, factors=4)))

    assert while_published == [{second}]
    assert nightly.keys() == {second, nightly.serving()}
    told = [line for line in nightly.said if "Redis has room for 3.0 MiB" in line]
    assert len(told) == 1
    assert "only what serves stays there" in told[0]

    monkeypatch.setattr(publisher, "room_beside", lambda *_: None)
    nightly.serve_stored(first)
    assert nightly.serving() == first
    assert nightly.recommended("c3", limit=1) == ["c3"]


def test_a_killed_process_leaves_the_old_version_serving_and_a_rerun_converges(
    nightly: Nightly, store_stack: Stack
) -> None:
    nightly.first_night()
    first, answer = nightly.serving(), nightly.recommended("viewer")
    assert first is not None
    # The steps before are a matter of files: another process goes on from them.
    before = [Step.READ, Step.TRAIN, Step.EVALUATE]
    nightly.run(before, model=ModelSettings(replace(ALS, factors=4)))

    items = f"{nightly.versions()[-1]}:items:0".encode()
    with StallingProxy(nightly.redis_url, before=items) as proxy:
        _kill_publishing_at(proxy, nightly, store_stack)

    (unfinished,) = nightly.keys() - {first}
    assert nightly.published.count_users(
        nightly.plan.tenant, unfinished, nightly.user_ids(unfinished)
    )
    assert nightly.serving() == first
    assert nightly.recommended("viewer") == answer

    with connect(nightly.redis_url) as redis:  # The half minute that a dead run's lock lasts.
        assert redis.pexpire(keys.nightly_lock(nightly.plan.tenant), 100)
    nightly.run(model=CHANGED)

    assert nightly.serving() not in (first, None)
    assert nightly.keys() == {first, nightly.serving()}
    assert nightly.recommended("c3", limit=1) == ["c3"]


def _environment(nightly: Nightly, stack: Stack, redis_url: str) -> dict[str, str]:
    """What the command line needs to go on where the test is."""
    variables = {
        "REDIS_URL": redis_url,
        "RECSYS_TENANT": nightly.plan.tenant,
        "RECSYS_MODEL_STORE": str(nightly.settings.model_store),
    }
    return job_environment(stack, variables)


def _kill_publishing_at(proxy: StallingProxy, nightly: Nightly, stack: Stack) -> None:
    """kill -9 `recsys nightly publish` and its Spark once it sends what the proxy stalls at."""
    with subprocess.Popen(
        recsys_command("nightly", "publish"),
        env=_environment(nightly, stack, proxy.url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            reached = proxy.stalled.wait(timeout=120)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
    assert reached


def test_a_run_that_is_told_to_stop_gives_its_lock_back(
    nightly: Nightly, store_stack: Stack
) -> None:
    with subprocess.Popen(
        recsys_command("nightly", "read"),
        env=_environment(nightly, store_stack, nightly.redis_url),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert any(line.startswith("waiting") for line in process.stderr)
        process.terminate()
        ended = process.stderr.read()

    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in ended
    assert ended.splitlines()[-1] == "stopped by SIGTERM: running it again is safe"
    with connect(nightly.redis_url) as redis:
        assert not redis.exists(keys.nightly_lock(nightly.plan.tenant))


def test_a_read_that_was_cut_short_leaves_nothing_for_a_later_step_to_go_on_with(
    nightly: Nightly,
) -> None:
    nightly.run([Step.READ])
    with pytest.MonkeyPatch.context() as patch:
        in_(RunFolder, "save_snapshot")(patch, nightly)
        with pytest.raises(Died):
            nightly.run([Step.READ], window=Window(0, NOW_MS))

    with pytest.raises(NotFound, match="run `recsys nightly read` first"):
        nightly.run([Step.TRAIN])


def test_of_two_runs_at_once_the_second_is_refused(nightly: Nightly) -> None:
    finish = threading.Event()

    def hold() -> None:
        with (
            connect(nightly.redis_url) as redis,
            nightly_lock(redis, nightly.plan.tenant, print, LOCK_SECONDS),
        ):
            finish.wait(timeout=60)

    first = threading.Thread(target=hold)
    first.start()
    try:
        with connect(nightly.redis_url) as redis:
            while not redis.exists(keys.nightly_lock(nightly.plan.tenant)):
                assert first.is_alive()
        with pytest.raises(AlreadyRunning, match="another nightly run of nightly is under way"):
            nightly.run([Step.READ])
    finally:
        finish.set()
        first.join()
