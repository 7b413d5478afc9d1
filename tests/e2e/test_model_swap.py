"""A new model takes over while shoppers ask."""

import httpx

from tests.e2e.load import in_turn, load
from tests.e2e.shop import KNOWN_CUSTOMER, TENANT, Shop, recommendations, similar
from tests.eventually import eventually
from tests.shop_fixture import TRAINING
from tests.stack_fixture import Recsys

_SWAPS = 8
_SETTLED_ANSWERS = 6


def test_no_answer_fails_or_mixes_versions(shop: Shop, api: httpx.Client, recsys: Recsys) -> None:
    customers = sorted({str(line["CustomerID"]) for line in shop.lines} - {KNOWN_CUSTOMER})[5:25]
    paths = [recommendations(who) for who in [*customers, "a stranger"]]
    paths += [similar(item_id) for item_id in sorted(shop.bought_by(KNOWN_CUSTOMER))[:5]]
    first = shop.serving()

    with load(shop, in_turn(paths), per_second=20) as during_the_run:
        done = recsys("nightly", *TRAINING, "--factors", "12")
        during_the_run.await_more(20)
    assert done.returncode == 0, done.stderr
    second = shop.serving()
    assert first != second

    with load(shop, in_turn(paths), per_second=60) as during_swaps:
        for swap in range(_SWAPS):
            version = (first, second)[swap % 2]
            shop.published().activate(TENANT, version)
            during_swaps.await_more(10)
            eventually(lambda version=version: is_settled(api, version))  # type: ignore[misc]

    expected = {version: answers_of(shop, api, version, paths) for version in (first, second)}
    assert not during_the_run.failures()
    assert not during_swaps.failures()
    seen = [*during_the_run.answered, *during_swaps.answered]
    assert {one.body["model_version"] for one in seen} == {first, second}
    wrong = [one for one in seen if one.body["items"] != expected[version_of(one.body)][one.path]]
    assert wrong == []


def version_of(body: dict[str, str]) -> str:
    return body["model_version"]


def answers_of(
    shop: Shop, api: httpx.Client, version: str, paths: list[str]
) -> dict[str, list[dict[str, object]]]:
    """The answers when nothing else but this version serves."""
    shop.published().activate(TENANT, version)
    eventually(lambda: is_settled(api, version))
    return {path: api.get(path).json()["items"] for path in paths}


def is_settled(api: httpx.Client, version: str) -> bool:
    """Both recommenders answer from this version."""
    path = recommendations("a stranger")
    return all(version_of(api.get(path).json()) == version for _ in range(_SETTLED_ANSWERS))
