"""Kinds of recommendations over the running stack, by the model of a nightly run."""

import csv
import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub
from recsys.stores.manifest import Manifest
from recsys.stores.redis import keys
from recsys.stores.redis.connect import connect
from tests.e2e.shop import KNOWN_CUSTOMER, TENANT, Shop, ids_of, item, posted, purchase
from tests.e2e.test_catalogue import last_wrong
from tests.eventually import eventually

BASKET = ["85123A", "22423", "84879"]


def placed(api: httpx.Client, name: str, **wishes: Any) -> list[dict[str, Any]]:
    answer = api.post(f"/v1/placements/{name}:recommend", json=wishes)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def recommended(shop: Shop, request: pb.RecommendRequest) -> pb.Answer:
    """The answer of a recommender itself."""
    with grpc.insecure_channel(f"127.0.0.1:{shop.stack.settings.ports.recommender_1}") as channel:
        return RecommenderServiceStub(channel).Recommend(request, timeout=10).answer


def test_a_basket_is_completed_by_what_is_bought_with_it(shop: Shop, api: httpx.Client) -> None:
    items = placed(api, "basket", session_item_ids=BASKET, limit=10)
    together = [item for item in items if item["source"] == "bought_together"]
    assert together
    assert not set(BASKET) & {item["item_id"] for item in items}
    # Some order of the shop has both: the item, and the one of the basket that it goes with.
    orders: dict[str, set[str]] = {}
    for line in shop.lines:
        orders.setdefault(str(line["InvoiceNo"]), set()).add(line["StockCode"].upper())
    for entry in together:
        seed = entry["reason"]["seeds"][0]["item_id"]
        assert any({entry["item_id"], seed} <= order for order in orders.values())


def test_a_customer_is_offered_what_is_due_to_be_bought_again(
    shop: Shop, api: httpx.Client
) -> None:
    items = placed(api, "buy_again", user_id=KNOWN_CUSTOMER, limit=20)
    again = [item["item_id"] for item in items if item["source"] == "buy_again"]
    assert again
    assert len({item["item_id"] for item in items}) == 20
    assert items[0]["reason"]["code"] == "buy_again"
    days: dict[str, set[str]] = {}
    for line in shop.lines:
        if str(line["CustomerID"]) == KNOWN_CUSTOMER and line["Quantity"] > 0:
            days.setdefault(str(line["StockCode"]).upper(), set()).add(
                str(line["InvoiceDate"])[:10]
            )
    assert all(len(days[item_id]) > 1 for item_id in again)
    generators = ["buy_again", "for_you", "popular", "new"]
    request = pb.RecommendRequest(
        tenant=TENANT, user_id=KNOWN_CUSTOMER, limit=20, generators=generators
    )
    answer = recommended(shop, request)
    assert [item.item_id for item in answer.items] == [item["item_id"] for item in items]
    # Somebody nobody knows has the usual fill.
    assert len(placed(api, "buy_again", user_id="nobody knows this one", limit=20)) == 20


def test_trending_items_come_first_where_they_are_asked_for(api: httpx.Client) -> None:
    items = placed(api, "trending", limit=20)
    assert items[0]["source"] == "trending"
    assert len({item["item_id"] for item in items}) == 20


def is_purchase(line: dict[str, Any]) -> bool:
    """Whether the import makes a purchase of it: no return, no postage, no fee."""
    is_return = line["Quantity"] < 0 or str(line["InvoiceNo"]).startswith("C")
    return line["StockCode"][:5].isdigit() and not is_return


def shoppers_within(shop: Shop, days: int) -> Counter[str]:
    """How many bought each item in the last days of the imported lines, and since the night."""
    since = max(line["InvoiceDate"] for line in shop.lines) - timedelta(days=days)
    bought = {
        (line["CustomerID"], line["StockCode"].upper())
        for line in shop.lines
        if line["InvoiceDate"] >= since and is_purchase(line)
    }
    return Counter(item_id for _, item_id in bought) + bought_since_the_night(shop)


def bought_since_the_night(shop: Shop) -> Counter[str]:
    """How many bought each item in other tests."""
    version = shop.published().current(TENANT)
    assert version is not None
    with connect(shop.stack.settings.redis_url) as redis:
        manifest = Manifest.from_json(redis.get(keys.manifest(TENANT, version)))
        log = redis.xrange(keys.purchases(TENANT), min=manifest.recipe.to_params().read_at_ms)
    found = {(fields[b"item"].decode(), fields[b"mark"]) for _, fields in log}
    return Counter(item_id for item_id, _ in found)


def test_what_is_bought_now_counts_in_windows_within_seconds(shop: Shop, api: httpx.Client) -> None:
    def of_the_day() -> dict[str, float | None]:
        items = placed(api, "bestsellers", window_days=1, limit=5)
        return {entry["item_id"]: entry["score"] for entry in items}

    item_id = placed(api, "bestsellers", window_days=30, limit=100)[-1]["item_id"]
    assert item_id not in of_the_day()
    most = max(shoppers_within(shop, 1).values())
    for number in range(most + 1):
        posted(api, purchase(f"in-a-hurry-{number}", item_id))
    eventually(lambda: of_the_day().get(item_id) == 1.0, within_seconds=20)

    def rising() -> set[str]:
        # Other tests may have bought something more often.
        items = placed(api, "trending", window_days=1, limit=10)
        return {entry["item_id"] for entry in items if entry["source"] == "trending"}

    # The other recommender may renew its windows later.
    eventually(lambda: item_id in rising(), within_seconds=20)


@pytest.mark.parametrize("days", [1, 7, 30])
def test_what_most_bought_within_a_window_comes_first(
    shop: Shop, api: httpx.Client, days: int
) -> None:
    counts, sold = shoppers_within(shop, days), set(shop.item_ids())

    def is_by_count() -> bool:
        items = placed(api, "bestsellers", window_days=days, limit=100)
        listed = [entry["item_id"] for entry in items]
        assert len(set(listed)) == 100
        scores = [entry["score"] for entry in items if entry["score"] is not None]
        found = [counts[item_id] for item_id in listed[: len(scores)]]
        # Of what other tests bought some is unknown, or not to be had any more.
        better = {each for each in sold if counts[each] > (found[-1] if len(found) == 100 else 0)}
        return (
            found == sorted(found, reverse=True)
            and better <= set(listed[: len(scores)])
            and scores == pytest.approx([scores[0] * count / found[0] for count in found])
        )

    # Each recommender puts its windows in order again some seconds after what other tests bought.
    last_wrong(is_by_count)


def test_a_window_of_a_category_is_the_same_by_rest_and_by_grpc(
    shop: Shop, api: httpx.Client
) -> None:
    week = [entry["item_id"] for entry in placed(api, "bestsellers", window_days=7, limit=40)]
    always = [entry["item_id"] for entry in placed(api, "bestsellers", limit=40)]
    # One that many bought lately, one that others buy, and none that is between them.
    expected = [week[3], next(each for each in always if each not in week[:20])]
    kept = {each: api.get(item(each)).json()["categories"] for each in expected}
    request = pb.RecommendRequest(
        tenant=TENANT,
        placement="bestsellers",
        limit=20,
        filter='category = "Windows"',
        controls=pb.Controls(window_days=7),
    )
    try:
        for each in kept:
            assert api.patch(item(each), json={"categories": ["Windows"]}).status_code == 200

        def of_the_category() -> list[str]:
            asked = {"category": ["Windows"], "window_days": 7}
            return [entry["item_id"] for entry in placed(api, "bestsellers", **asked)]

        assert last_wrong(lambda: of_the_category() == expected) < 1
        answer = recommended(shop, request)
        assert [entry.item_id for entry in answer.items] == expected
    finally:
        for each, categories in kept.items():
            assert api.patch(item(each), json={"categories": categories}).status_code == 200


def test_a_window_that_is_not_counted_is_refused_with_those_that_are(
    shop: Shop, api: httpx.Client
) -> None:
    answer = api.post("/v1/placements/trending:recommend", json={"window_days": 5})
    assert answer.status_code == 422
    [problem] = answer.json()["problems"]
    reason = "5 is not one of the windows that this shop counts: 1, 7, 30"
    assert problem == {"field": "window_days", "reason": reason}
    request = pb.RecommendRequest(tenant=TENANT, placement="trending", limit=5)
    request.controls.window_days = 5
    with pytest.raises(grpc.RpcError, match=reason) as refused:
        recommended(shop, request)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_what_rises_within_a_window_sells_better_than_before(shop: Shop, api: httpx.Client) -> None:
    recent, longer = shoppers_within(shop, 30), shoppers_within(shop, 150)
    share = sum(recent.values()) / sum(longer.values())

    def is_by_rise() -> bool:
        items = placed(api, "trending", window_days=30, limit=20)
        assert len({entry["item_id"] for entry in items}) == 20
        rising = [entry for entry in items if entry["source"] == "trending"]
        scores = [entry["score"] for entry in rising]
        assert scores == sorted(scores, reverse=True)
        counts = [(recent[entry["item_id"]], longer[entry["item_id"]]) for entry in rising]
        return bool(counts) and all(
            count >= 2 and count > share * before for count, before in counts
        )

    last_wrong(is_by_rise)


def test_a_category_page_shows_items_of_its_path_the_popular_ones_first(api: httpx.Client) -> None:
    bestsellers = [entry["item_id"] for entry in placed(api, "bestsellers", limit=6)]
    paths = {bestsellers[4]: ["Test", "Deep"], bestsellers[1]: ["Test", "Deep"]}
    paths |= {bestsellers[0]: ["Test"], bestsellers[2]: ["Deep"]}
    kept = {item_id: api.get(item(item_id)).json()["categories"] for item_id in paths}
    try:
        for item_id, path in paths.items():
            assert api.patch(item(item_id), json={"categories": path}).status_code == 200

        def of_the_path() -> list[str]:
            found = placed(api, "category_page", category=["Test", "Deep"])
            return [entry["item_id"] for entry in found]

        assert last_wrong(lambda: of_the_path() == [bestsellers[1], bestsellers[4]]) < 1
    finally:
        for item_id, path in kept.items():
            assert api.patch(item(item_id), json={"categories": path}).status_code == 200


def test_what_was_viewed_last_comes_first_and_what_was_bought_is_left_out(
    shop: Shop, api: httpx.Client
) -> None:
    user_id = "views three and buys one"
    viewed = shop.item_ids()[:3]
    for each in viewed:
        posted(api, purchase(user_id, each, event_type="view"))
    posted(api, purchase(user_id, viewed[1]))
    expected = [viewed[2], viewed[0]]
    items = placed(api, "recently_viewed", user_id=user_id)
    assert [entry["item_id"] for entry in items] == expected
    request = pb.RecommendRequest(
        tenant=TENANT, user_id=user_id, limit=20, generators=["recently_viewed"]
    )
    answer = recommended(shop, request)
    assert [entry.item_id for entry in answer.items] == expected


def test_a_page_of_placements_shows_no_item_twice(shop: Shop, api: httpx.Client) -> None:
    names = ["home", "bestsellers", "trending", "category_page"]
    requests = [{"placement": name, "limit": 10} for name in names]
    body = {"user_id": KNOWN_CUSTOMER, "requests": requests}
    page = api.post("/v1/placements:recommend", json=body)
    assert page.status_code == 200, page.text
    shown = [[item["item_id"] for item in each["items"]] for each in page.json()["responses"]]
    assert [len(each) for each in shown] == [10] * 4
    assert len({item_id for each in shown for item_id in each}) == 40
    asked = [
        pb.RecommendRequest(user_id=KNOWN_CUSTOMER, limit=10, generators=generators)
        for generators in (
            ["for_you", "popular", "new"],
            ["popular"],
            ["trending", "popular"],
            ["for_you", "popular", "new"],
        )
    ]
    with grpc.insecure_channel(f"127.0.0.1:{shop.stack.settings.ports.recommender_1}") as channel:
        request = pb.RecommendPageRequest(tenant=TENANT, requests=asked)
        answers = RecommenderServiceStub(channel).RecommendPage(request, timeout=10).answers
    assert [[item.item_id for item in answer.items] for answer in answers] == shown


def test_found_items_are_put_in_the_order_of_the_list(api: httpx.Client) -> None:
    listed = ids_of(
        api.post("/v1/placements/home:recommend", json={"user_id": KNOWN_CUSTOMER, "limit": 40})
    )
    given = [*reversed(listed), "of no catalogue"]
    answer = api.post("/v1/items:rerank", json={"user_id": KNOWN_CUSTOMER, "item_ids": given})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["unknown"] == ["of no catalogue"]
    assert found["item_ids"][-1] == "of no catalogue"
    # Stored scores have half precision: a place or two may differ.
    assert sorted(found["item_ids"][:-1]) == sorted(listed)
    assert all(abs(listed.index(item) - at) <= 3 for at, item in enumerate(found["item_ids"][:-1]))


def test_users_for_an_item_have_not_bought_it(shop: Shop, tmp_path: Path) -> None:
    output = tmp_path / "users.csv"
    command = [str(Path(sys.executable).with_name("recsys")), "users-for-item", "85123A"]
    done = subprocess.run(
        [*command, "--limit", "25", "--output", str(output), "--tenant", TENANT],
        env=os.environ | shop.stack.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = list(csv.DictReader(output.read_text().splitlines()))
    assert len(lines) == 25
    scores = [float(line["score"]) for line in lines]
    assert scores == sorted(scores, reverse=True)
    assert not any("85123A" in shop.bought_by(line["user_id"]) for line in lines)
