"""kill -9 of one of two, and of all: answers go on."""

import time
from collections.abc import Sequence

import pytest

from infra.local.stack import Stack
from tests.e2e.load import load
from tests.e2e.load_driver import Request
from tests.e2e.shop import Shop
from tests.e2e.versions import are_their_own
from tests.faults.conftest import PER_SECOND
from tests.faults.processes import await_work, keep_killing
from tests.faults.table import SLOW_SECONDS, LoadResult, Table, is_bad, is_degraded

_KILLS = 3
_RECOMMENDERS = ("recommender-1", "recommender-2")
_DOWN_SECONDS = 6.0


@pytest.mark.parametrize("name", ["recommender-1", "gateway-1"])
def test_no_shopper_notices_that_one_of_two_was_killed(
    shop: Shop, healed_stack: Stack, asking: Sequence[Request], table: Table, name: str
) -> None:
    back_seconds = []
    with load(shop, asking, PER_SECOND) as asked:
        asked.await_more(2 * PER_SECOND)
        first_kill = time.monotonic()
        for _ in range(_KILLS):
            killed_at = time.monotonic()
            healed_stack.kill(name)
            await_work(healed_stack, [name])
            back_seconds.append(time.monotonic() - killed_at)
            asked.await_more(3 * PER_SECOND)

    outcome = LoadResult(asked.answered).since(first_kill)
    table.add(f"kill -9 {name}, {_KILLS} times", outcome, max(back_seconds))
    assert outcome.error_share <= 0.0001
    assert outcome.ms(0.99) <= 1000 * SLOW_SECONDS
    assert max(back_seconds) <= 10
    assert are_their_own(outcome.answered)


def test_without_any_recommender_everybody_gets_what_is_popular(
    shop: Shop, healed_stack: Stack, asking: Sequence[Request], table: Table
) -> None:
    with load(shop, asking, PER_SECOND) as asked:
        asked.await_more(2 * PER_SECOND)
        down_at = time.monotonic()
        keep_killing(healed_stack, _RECOMMENDERS, _DOWN_SECONDS)
        up_at = time.monotonic()
        await_work(healed_stack, _RECOMMENDERS)
        work_at = time.monotonic()
        asked.await_more(6 * PER_SECOND)

    during, whole = (
        LoadResult(asked.answered).since(down_at, end) for end in (up_at, float("inf"))
    )
    recovery_seconds = whole.last(is_bad, work_at)
    share = f"{during.degraded_share:.0%} degraded while down"
    table.add(f"no recommender for {work_at - down_at:.0f} s", whole, recovery_seconds, share)
    assert whole.errors == []
    sure = during.since(down_at + 1.0)
    assert all(is_degraded(one) and one.body["source"] == "popular" for one in sure.answered)
    assert all(len(one.body["items"]) > 0 for one in during.answered)
    assert during.ms(0.99) <= 1000 * SLOW_SECONDS
    assert recovery_seconds <= 5
    assert are_their_own(whole.answered)
