"""Steps one by one, the gate between them and the command line."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from recsys.core.errors import GateRefused, NotFound
from recsys.stores.redis.connect import connect
from recsys.stores.run_files import EVENTS
from recsys.training.settings import ModelSettings
from spark_jobs import report
from spark_jobs.nightly import run
from spark_jobs.nightly.plan import Step
from spark_jobs.nightly.run_folder import Window
from tests.integration.conftest import Command, Seed
from tests.integration.nightly_shop import (
    ALS,
    DAY_MS,
    NOW_MS,
    Nightly,
    a_nightly,
    an_event,
    shop_events,
)

pytestmark = [pytest.mark.hbase, pytest.mark.redis]


def lines_of(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


def test_steps_taken_one_by_one_are_a_run(nightly: Nightly) -> None:
    for step in Step:
        assert nightly.serving() is None
        nightly.run([step])

    assert nightly.recommended("c3", limit=1) == ["c3"]


@pytest.mark.parametrize(
    ("done", "step", "missing"),
    [
        ([], Step.TRAIN, "run `recsys nightly read` first"),
        ([], Step.EVALUATE, "run `recsys nightly read` first"),
        ([], Step.PUBLISH, "run `recsys nightly train` first"),
        ([Step.READ], Step.EVALUATE, "run `recsys nightly train` first"),
    ],
)
def test_a_step_names_the_one_that_must_come_before(
    nightly: Nightly, done: list[Step], step: Step, missing: str
) -> None:
    if done:
        nightly.run(done)

    with pytest.raises(NotFound, match=missing):
        nightly.run([step])


@pytest.mark.parametrize("command", [["nightly"], ["nightly", "train"], ["report"]])
def test_a_mistyped_tenant_is_refused_before_spark_and_leaves_nothing(
    nightly: Nightly,
    recsys_here: Command,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    for module in (run, report):
        monkeypatch.setattr(module, "spark_session", not_started)

    code, _, told = recsys_here(*command, "--tenant", "nigthly")

    assert code == 2
    [line] = told.splitlines()
    assert line.startswith("error: tenant nigthly is not set up")
    assert re.search(r"; tenants that are set up: .*\bnightly\b", line)
    assert not nightly.settings.model_store.exists()


def not_started(*_: object) -> NoReturn:
    raise AssertionError("Spark was started")


def truncated(part: Path) -> None:
    part.write_bytes(part.read_bytes()[: part.stat().st_size // 2])


def emptied(part: Path) -> None:
    part.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncated, "events.parquet is damaged: run `recsys nightly read` first"),
        # Spark would pass over it.
        (emptied, "events.parquet is damaged: run `recsys nightly read` first"),
        # Without a word the shop would have fewer events.
        (Path.unlink, r"events of the \d+ that were read: run `recsys nightly read` first"),
        (lambda part: shutil.rmtree(part.parent), "is missing: run `recsys nightly read` first"),
    ],
    ids=["truncated", "emptied", "one missing", "all missing"],
)
@pytest.mark.parametrize("step", [Step.TRAIN, Step.EVALUATE])
def test_damaged_events_of_the_read_step_are_one_line_before_spark(
    nightly: Nightly,
    recsys_here: Command,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Path], None],
    message: str,
    step: Step,
) -> None:
    nightly.run([Step.READ])
    events = nightly.settings.run_folder(nightly.plan.tenant) / EVENTS
    [part, *_] = sorted(events.glob("*.parquet"))
    damage(part)
    monkeypatch.setattr(run, "spark_session", not_started)

    code, _, told = recsys_here("nightly", step.value)

    assert code == 1
    [line] = told.splitlines()
    assert re.search(message, line)


def test_a_model_that_was_never_evaluated_is_not_published(nightly: Nightly) -> None:
    nightly.run([Step.READ, Step.TRAIN])

    with pytest.raises(GateRefused, match="run `recsys nightly evaluate` first"):
        nightly.run([Step.PUBLISH])
    assert nightly.serving() is None


def test_a_model_worse_than_popularity_is_refused_with_its_own_exit_code(
    seed: Seed, nightly: Nightly, recsys_here: Command
) -> None:
    seed("hitshop", *a_shop_where_popularity_is_right())
    shop = a_nightly(
        nightly.settings.hbase_thrift, nightly.redis_url, nightly.settings.model_store, "hitshop"
    )
    shop.run(window=Window(0, int(NOW_MS - 5 * DAY_MS)))
    before = shop.serving()
    assert before is not None

    with pytest.raises(GateRefused, match=r"ndcg_at_20 \S+ is not above popularity's"):
        shop.run(holdout_days=5.0)
    assert shop.serving() == before
    code, _, told = recsys_here("nightly", "publish", "--tenant", "hitshop")

    assert code == 3
    last = told.strip().splitlines()[-1]
    assert last.startswith("refused: ")
    assert "is not above popularity's" in last
    assert shop.serving() == before


def a_shop_where_popularity_is_right() -> tuple[list, list]:
    """Everybody comes back for the hit, which has nothing to do with what they bought before."""
    fans = [an_event(f"fan{n}", "hit", days_ago=10) for n in range(60)]
    others = [
        an_event(f"u{n}", f"i{item}", days_ago=10)
        for n in range(120)
        for item in (n % 30, (n + 1) % 30)
    ]
    future = [an_event(f"u{n}", "hit") for n in range(120)]
    return [*fans, *others, *future], []


def test_the_command_line_runs_all_steps(nightly: Nightly, recsys_here: Command) -> None:
    options = ("--factors", "8", "--regularization", "0.02", "--holdout-days", "1")

    code, _, told = recsys_here("nightly", *options)

    assert code == 0
    for step in Step:
        assert f"[{step.value}] done in" in told
    assert f"{nightly.serving()} serves now" in told
    assert nightly.recommended("c3", limit=1) == ["c3"]


def test_a_missing_step_is_one_line_at_the_command_line(recsys_here: Command) -> None:
    code, _, told = recsys_here("nightly", "train")

    assert code == 1
    assert "run `recsys nightly read` first" in told
    assert "Traceback" not in told


def test_recommend_shows_what_the_recommender_would_answer(
    nightly: Nightly, recsys_here: Command
) -> None:
    nightly.first_night()

    code, shown, told = recsys_here("recommend", "viewer", "--limit", "5", "--no-history")

    assert code == 0
    assert [line[0] for line in lines_of(shown)[1:]] == nightly.recommended("viewer", limit=5)
    assert f"model {nightly.serving()}" in told
    assert "source stored" in told
    assert "Title of a" in shown


def test_recommend_shows_the_history_it_is_based_on(nightly: Nightly, recsys_here: Command) -> None:
    nightly.first_night()

    _, shown, told = recsys_here("recommend", "viewer", "--limit", "3")

    assert "history, the strongest of 5 items:" in told
    assert len(lines_of(shown)) == 2 * (1 + 3)


def test_a_stranger_gets_popular_items(nightly: Nightly, recsys_here: Command) -> None:
    nightly.first_night()

    code, shown, told = recsys_here("recommend", "a stranger", "--limit", "3")

    assert code == 0
    assert "source popular" in told
    assert len(lines_of(shown)) == 1 + 3


def test_similar_shows_items_of_the_same_taste(nightly: Nightly, recsys_here: Command) -> None:
    nightly.first_night()

    code, shown, told = recsys_here("similar", "a3", "--limit", "4")

    assert code == 0
    assert f"model {nightly.serving()}, similar to a3 Title of a3" in told
    assert [line[0][0] for line in lines_of(shown)[1:]] == ["a"] * 4


def test_an_unknown_item_is_an_error(nightly: Nightly, recsys_here: Command) -> None:
    nightly.first_night()

    code, _, told = recsys_here("similar", "no such item")

    assert code == 1
    assert "item 'no such item' is not in model" in told


@pytest.mark.parametrize("command", [["recommend", "viewer"], ["similar", "a3"]])
def test_before_the_first_model_a_question_says_what_to_do(
    recsys_here: Command, command: list[str]
) -> None:
    code, _, told = recsys_here(*command)

    assert code == 1
    assert "tenant nightly has no model yet: run recsys nightly --tenant nightly" in told


def test_models_are_listed_shown_and_served_again(nightly: Nightly, recsys_here: Command) -> None:
    assert "has no model yet" in recsys_here("models", "list")[2]
    nightly.run()
    first = nightly.serving()
    assert first is not None
    nightly.run(model=ModelSettings(replace(ALS, factors=8)))
    second = nightly.serving()
    assert second is not None

    assert _marks(recsys_here) == {first: False, second: True}
    manifest = json.loads(recsys_here("models", "show", first)[1])
    assert manifest["version"] == first
    assert manifest["data"]["events"] == len({event.event_id for event in shop_events()})

    code, _, told = recsys_here("models", "serve", first)

    assert code == 0
    assert f"{first} serves now" in told
    assert _marks(recsys_here) == {first: True, second: False}


def test_the_list_says_that_no_version_serves_and_why(
    nightly: Nightly, recsys_here: Command
) -> None:
    nightly.run([Step.READ, Step.TRAIN])
    assert "none has served yet" in recsys_here("models", "list")[2]
    nightly.run([Step.EVALUATE, Step.PUBLISH])
    version = nightly.serving()
    assert "none" not in recsys_here("models", "list")[2]

    with connect(nightly.redis_url) as redis:
        redis.flushdb()

    _, shown, told = recsys_here("models", "list")
    assert str(version) in shown
    assert f"recsys rebuild lets {version} serve again" in told


@pytest.mark.parametrize("command", ["show", "serve"])
@pytest.mark.parametrize(
    ("version", "reason"),
    [("20200101T000000Z-00000000", "has no model yet"), ("../etc", "is not a version's name")],
)
def test_a_version_that_is_not_there_is_named(
    recsys_here: Command, command: str, version: str, reason: str
) -> None:
    code, _, told = recsys_here("models", command, version)

    assert code == 1
    assert reason in told


def _marks(recsys_here: Command) -> dict[str, bool]:
    """Versions as `models list` shows them, and whether they are marked as serving."""
    rows = lines_of(recsys_here("models", "list")[1])[1:]
    return {row[1] if row[0] == "*" else row[0]: row[0] == "*" for row in rows}
