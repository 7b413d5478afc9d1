"""Control and explanation over the running stack: REST and gRPC, through the balancer."""

from collections import Counter
from typing import Any

import grpc
import httpx

from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub
from tests.e2e.shop import KNOWN_CUSTOMER, TENANT, Shop, ids_of, item, posted, recommendations
from tests.e2e.test_catalogue import last_wrong

HOME = "/v1/placements/home:recommend"


def home(api: httpx.Client, **wishes: Any) -> dict[str, Any]:
    answer = api.post(HOME, json={"user_id": KNOWN_CUSTOMER, "limit": 20, **wishes})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_every_item_of_a_placement_says_why_by_parts_that_sum_to_its_score(
    shop: Shop, api: httpx.Client
) -> None:
    body = home(api)
    bought = shop.bought_by(KNOWN_CUSTOMER)
    for entry in body["items"]:
        assert abs(sum(entry["score_parts"].values()) - (entry["score"] or 0)) < 1e-5
        assert {seed["item_id"] for seed in entry["reason"]["seeds"]} <= bought
    assert "because_you_bought" in {entry["reason"]["code"] for entry in body["items"]}
    assert body["recommendation_id"] != home(api)["recommendation_id"]
    assert (body["placement"], body["fallback_level"], body["model_version"]) == (
        "home",
        0,
        shop.serving(),
    )
    assert body["took_ms"] > 0
    simple = api.get(
        recommendations(KNOWN_CUSTOMER), params={"limit": 20, "explain": "true"}
    ).json()
    assert simple["items"] == body["items"]


def test_a_list_without_wishes_is_that_of_the_simple_route(api: httpx.Client) -> None:
    plain = ids_of(api.get(recommendations(KNOWN_CUSTOMER), params={"limit": 20}))
    assert [entry["item_id"] for entry in home(api)["items"]] == plain


def test_caps_and_boosts_follow_the_catalogue_within_a_second(api: httpx.Client) -> None:
    first = [entry["item_id"] for entry in home(api, limit=6)["items"]]
    kept = [api.get(item(item_id)).json() for item_id in first]
    try:
        for item_id in first[:5]:
            assert api.patch(item(item_id), json={"brand": "One brand"}).status_code == 200

        def of_the_brand(**wishes: Any) -> int:
            found = home(api, limit=6, **wishes)["items"]
            return Counter(entry["item_id"] in first[:5] for entry in found)[True]

        assert last_wrong(lambda: of_the_brand(max_per_brand=1) == 1) < 1
        assert of_the_brand() == 5
        buried = home(api, limit=6, boosts=[{"filter": 'brand = "One brand"', "weight": 0.01}])
        assert buried["items"][0]["item_id"] not in first[:5]
    finally:
        for item_id, before in zip(first, kept, strict=True):
            assert api.patch(item(item_id), json={"brand": before["brand"]}).status_code == 200


def test_pages_are_disjoint_by_rest_and_by_grpc(shop: Shop, api: httpx.Client) -> None:
    seen, token = list[str](), None
    for _ in range(5):
        body = home(api, **({} if token is None else {"page_token": token}))
        seen += [entry["item_id"] for entry in body["items"]]
        token = body["next_page_token"]
    assert len(seen) == len(set(seen)) == 100
    request = pb.RecommendRequest(
        tenant=TENANT,
        user_id=KNOWN_CUSTOMER,
        limit=20,
        generators=["for_you", "popular", "new"],
        page_token=token,
    )
    with grpc.insecure_channel(f"127.0.0.1:{shop.stack.settings.ports.recommender_1}") as channel:
        answer = RecommenderServiceStub(channel).Recommend(request, timeout=10).answer
    sixth = [entry["item_id"] for entry in home(api, page_token=token)["items"]]
    assert [entry.item_id for entry in answer.items] == sixth
    assert not set(sixth) & set(seen)
    assert api.post(HOME, json={"user_id": "other", "page_token": token}).status_code == 422
    assert api.post(HOME, json={"user_id": KNOWN_CUSTOMER, "page_token": "x"}).status_code == 422


def test_a_pin_takes_its_position_unless_it_is_sold_out(shop: Shop, api: httpx.Client) -> None:
    plain = [entry["item_id"] for entry in home(api, limit=100)["items"]]
    pinned, first = plain[-1], plain[:5]
    request = pb.RecommendRequest(
        tenant=TENANT,
        user_id=KNOWN_CUSTOMER,
        limit=5,
        generators=["for_you", "popular", "new"],
        controls=pb.Controls(pins=[pb.Pin(item_id=pinned, position=3)]),
    )
    with grpc.insecure_channel(f"127.0.0.1:{shop.stack.settings.ports.recommender_1}") as channel:

        def found() -> list[str]:
            answer = RecommenderServiceStub(channel).Recommend(request, timeout=10).answer
            by_grpc = [entry.item_id for entry in answer.items]
            by_rest = home(api, limit=5, pins=[{"item_id": pinned, "position": 3}])["items"]
            # The two gateways may ask another recommender, which follows the catalogue, too.
            return by_grpc if by_grpc == [entry["item_id"] for entry in by_rest] else []

        assert found() == [*first[:2], pinned, *first[2:4]]
        try:
            assert api.patch(item(pinned), json={"available": False}).status_code == 200
            assert last_wrong(lambda: found() == first) < 1
        finally:
            assert api.patch(item(pinned), json={"available": True}).status_code == 200


def test_diversity_and_wishes_together_are_taken(api: httpx.Client) -> None:
    body = home(api, diversity=1, max_per_category=3, strict=True, exclude_seen_days=30)
    assert sorted(body) == sorted(home(api))
    assert len(body["items"]) == 20


def test_what_was_viewed_is_left_out_where_that_is_wanted(api: httpx.Client) -> None:
    user = "views one thing of two"
    shown = [entry["item_id"] for entry in home(api, user_id=user)["items"]]
    view = {"user_id": user, "item_id": shown[0], "event_type": "view"}
    assert posted(api, view)["accepted"] == 1

    def without_it(**wishes: Any) -> bool:
        found = home(api, user_id=user, limit=100, **wishes)["items"]
        return shown[0] not in [entry["item_id"] for entry in found]

    assert last_wrong(lambda: without_it(exclude_seen_days=1)) < 1
    assert last_wrong(lambda: without_it(exclude_seen_days=1, exclude_event_types=["view"])) < 1
    assert not without_it(exclude_seen_days=1, exclude_event_types=["purchase"])
