"""A new model takes over while shoppers ask."""

import httpx

from tests.e2e.load import load, questions
from tests.e2e.shop import KNOWN_CUSTOMER, Shop, recommendations, similar
from tests.e2e.versions import are_their_own, expected_answers, mixed, settle
from tests.shop_fixture import TRAINING
from tests.stack_fixture import Recsys

_SWAPS = 8


def test_no_answer_fails_or_mixes_versions(shop: Shop, api: httpx.Client, recsys: Recsys) -> None:
    customers = sorted({str(line["CustomerID"]) for line in shop.lines} - {KNOWN_CUSTOMER})[5:25]
    paths = [recommendations(who) for who in [*customers, "stranger"]]
    paths += [similar(item_id) for item_id in sorted(shop.bought_by(KNOWN_CUSTOMER))[:5]]
    first = shop.serving()

    with load(shop, questions(paths), per_second=20) as during_the_run:
        done = recsys("nightly", *TRAINING, "--factors", "8")
        during_the_run.await_more(20)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    second = shop.serving()
    assert first != second

    with load(shop, questions(paths), per_second=60) as during_swaps:
        for swap in range(_SWAPS):
            settle(shop, api, (first, second)[swap % 2])
            during_swaps.await_more(10)

    expected = expected_answers(shop, api, (first, second), paths)
    assert not during_the_run.failures()
    assert not during_swaps.failures()
    seen = [*during_the_run.answered, *during_swaps.answered]
    assert {one.body["model_version"] for one in seen} == {first, second}
    assert mixed(seen, expected) == []
    assert are_their_own(seen)
