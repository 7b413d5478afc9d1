"""SIGSTOP: a recommender that keeps its connections and says nothing, then goes on as if it had
not been away."""

import time
from collections.abc import Sequence

import httpx

from infra.local.stack import Stack
from tests.e2e.load import load
from tests.e2e.load_driver import Request
from tests.e2e.shop import TENANT, Shop
from tests.e2e.versions import are_their_own, expected_answers, mixed
from tests.faults.conftest import PER_SECOND
from tests.faults.processes import paused
from tests.faults.table import LoadResult, Table, is_bad

_PAUSE_SECONDS = 10.0
# Well above what a busy test machine adds, well below what waiting for the hung one costs.
_WAITED_SECONDS = 0.1


def test_a_hung_recommender_is_left_out_and_taken_back(
    shop: Shop,
    healed_stack: Stack,
    api: httpx.Client,
    asking: Sequence[Request],
    paths: Sequence[str],
    two_versions: tuple[str, str],
    table: Table,
) -> None:
    old, new = two_versions
    expected = expected_answers(shop, api, (new, old), paths)
    with load(shop, asking, PER_SECOND) as asked:
        asked.await_more(2 * PER_SECOND)
        with paused(healed_stack, "recommender-1"):
            paused_at = time.monotonic()
            time.sleep(_PAUSE_SECONDS / 2)
            # What it still holds of the old version must not be mixed into answers of the new one.
            shop.published().activate(TENANT, new)
            time.sleep(_PAUSE_SECONDS / 2)
            resumed_at = time.monotonic()
        asked.await_more(5 * PER_SECOND)

    outcome = LoadResult(asked.answered).since(paused_at)
    during = outcome.since(paused_at, resumed_at)
    ejected_seconds = during.last(lambda one: one.seconds > _WAITED_SECONDS, paused_at)
    recovery_seconds = outcome.last(is_bad, resumed_at)
    also = f"left out after {ejected_seconds:.2f} s"
    table.add("SIGSTOP of a recommender", outcome, recovery_seconds, also)
    assert outcome.error_share <= 0.001
    assert ejected_seconds <= 2
    answered = [one for one in outcome.answered if one.status == 200]
    assert are_their_own(answered)
    assert mixed(answered, expected) == []
    assert {one.body["model_version"] for one in answered[-PER_SECOND:]} == {new}
