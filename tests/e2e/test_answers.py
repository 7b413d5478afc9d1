"""The answers of the demo, and how they follow what a shopper does."""

import httpx

from tests.e2e.shop import (
    KNOWN_CUSTOMER,
    Shop,
    ids_of,
    posted,
    purchase,
    recommendations,
    similar,
)


def test_a_known_customer_is_recommended_new_things_by_the_serving_model(
    shop: Shop, api: httpx.Client
) -> None:
    answer = api.get(recommendations(KNOWN_CUSTOMER))

    recommended = ids_of(answer)
    body = answer.json()
    assert len(set(recommended)) == 10
    assert not set(recommended) & shop.bought_by(KNOWN_CUSTOMER)
    assert body["source"] == "stored"
    assert body["model_version"] == shop.serving()
    assert body["degraded"] is False
    assert all(entry["title"] for entry in body["items"])
    scores = [entry["score"] for entry in body["items"]]
    assert scores == sorted(scores, reverse=True)


def test_similar_items_are_others_of_the_catalogue(shop: Shop, api: httpx.Client) -> None:
    bought = sorted(shop.bought_by(KNOWN_CUSTOMER))[0]

    answer = api.get(similar(bought))

    alike = ids_of(answer)
    assert len(set(alike)) == 10
    assert bought not in alike
    assert answer.json()["source"] == "neighbours"


def test_a_stranger_gets_popular_items(api: httpx.Client, shopper: str) -> None:
    answer = api.get(recommendations(shopper))

    assert len(ids_of(answer)) == 10
    assert answer.json()["source"] == "popular"
    assert answer.json()["degraded"] is False


def test_who_only_touched_what_no_catalogue_has_gets_popular_items(
    shop: Shop, api: httpx.Client, shopper: str
) -> None:
    posted(api, purchase(shopper, "of no catalogue"), purchase(shopper, "nor this", price=1))

    answer = api.get(recommendations(shopper, limit=100))

    assert len(set(ids_of(answer))) == 100
    assert answer.json()["source"] == "popular"
    for by_grpc in shop.asked_of_each_recommender(shopper):
        assert [entry.item_id for entry in by_grpc.items] == ids_of(answer)[:10]


def test_an_item_nobody_knows_has_popular_ones_beside_it(api: httpx.Client) -> None:
    answer = api.get(similar("no such item"))

    assert len(ids_of(answer)) == 10
    assert answer.json()["source"] == "popular"


def test_an_event_changes_the_next_answer_of_every_recommender(
    shop: Shop, api: httpx.Client, shopper: str
) -> None:
    before = ids_of(api.get(recommendations(shopper)))
    bought = sorted(shop.bought_by(KNOWN_CUSTOMER))[0]

    taken = posted(api, purchase(shopper, bought))

    after = api.get(recommendations(shopper))
    assert (taken["accepted"], taken["degraded"]) == (1, False)
    assert after.json()["source"] == "fold_in"
    assert ids_of(after) != before
    for answer in shop.asked_of_each_recommender(shopper):
        assert [entry.item_id for entry in answer.items] == ids_of(after)


def test_what_was_bought_is_not_recommended_again(api: httpx.Client, shopper: str) -> None:
    for _ in range(5):
        first, *_ = ids_of(api.get(recommendations(shopper)))
        posted(api, purchase(shopper, first))

        assert first not in ids_of(api.get(recommendations(shopper, limit=100)))


def test_nothing_of_a_long_order_is_recommended(
    shop: Shop, api: httpx.Client, shopper: str
) -> None:
    order = shop.item_ids()[:300]
    assert len(order) == 300

    posted(api, *(purchase(shopper, item_id, order_id="large") for item_id in order))

    answer = api.get(recommendations(shopper, limit=100))
    assert answer.json()["source"] == "fold_in"
    assert len(ids_of(answer)) == 100
    assert not set(ids_of(answer)) & set(order)


def test_looking_around_brings_back_neither_what_was_bought_nor_what_was_disliked(
    shop: Shop, api: httpx.Client, shopper: str
) -> None:
    bought, disliked, *_ = ids_of(api.get(recommendations(shopper)))
    posted(api, purchase(shopper, bought), purchase(shopper, disliked, event_type="dislike"))

    for event_type in ("impression", "view"):
        seen = (shop.item_ids() * 2)[:250]
        posted(api, *(purchase(shopper, item_id, event_type=event_type) for item_id in seen))

        recommended = ids_of(api.get(recommendations(shopper, limit=100)))
        assert len(recommended) == 100
        assert not {bought, disliked} & set(recommended)


def test_who_has_nearly_everything_gets_a_short_list(
    shop: Shop, api: httpx.Client, shopper: str
) -> None:
    items = shop.item_ids()
    left, had = items[:3], items[3:]
    for start in range(0, len(had), 1000):
        posted(api, *(purchase(shopper, item_id) for item_id in had[start : start + 1000]))

    recommended = ids_of(api.get(recommendations(shopper, limit=100)))

    assert set(recommended) <= set(left)


def test_a_sessions_own_items_do_not_come_back(shop: Shop, api: httpx.Client) -> None:
    seen = shop.item_ids()[:100]

    answer = api.get("/v1/recommendations", params={"item_id": seen, "limit": 100})

    assert len(ids_of(answer)) == 100
    assert not set(ids_of(answer)) & set(seen)


def test_a_known_customers_event_counts_on_top_of_what_is_known(
    shop: Shop, api: httpx.Client
) -> None:
    customer = next(
        str(line["CustomerID"]) for line in shop.lines if str(line["CustomerID"]) != KNOWN_CUSTOMER
    )
    first, second, *_ = ids_of(api.get(recommendations(customer)))

    posted(api, purchase(customer, first))

    after = api.get(recommendations(customer, limit=100))
    assert after.json()["source"] == "fold_in"
    assert first not in ids_of(after)
    assert not set(ids_of(after)) & shop.bought_by(customer)
    assert second in ids_of(after)


def test_a_batch_sent_twice_counts_once(shop: Shop, api: httpx.Client, shopper: str) -> None:
    items = sorted(shop.bought_by(KNOWN_CUSTOMER))[:5]
    batch = [purchase(shopper, item_id, event_id=f"{shopper}-{item_id}") for item_id in items]
    assert posted(api, *batch)["accepted"] == 5
    before = ids_of(api.get(recommendations(shopper)))
    stored = shop.stored_events(shopper)

    again = posted(api, *batch)

    assert (again["accepted"], again["duplicate"]) == (0, 5)
    assert ids_of(api.get(recommendations(shopper))) == before
    assert shop.stored_events(shopper) == stored
    assert len(stored) == 5


def test_good_events_of_a_batch_land_beside_bad_ones(
    shop: Shop, api: httpx.Client, shopper: str
) -> None:
    good, bad = purchase(shopper, "22423"), purchase(shopper, "22423", event_type="teleport")

    answer = posted(api, bad, good, purchase(shopper, "a\0b"))

    assert [result["status"] for result in answer["results"]] == [
        "rejected",
        "accepted",
        "rejected",
    ]
    assert len(shop.stored_events(shopper)) == 1
