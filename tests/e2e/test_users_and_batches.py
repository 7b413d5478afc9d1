"""Merged users, batches of items and large batches of events, on the whole stack."""

import time
import uuid

import httpx

from recsys.core.limits import MAX_BODY_BYTES
from tests.e2e.shop import Shop, ids_of, item, posted, recommendations
from tests.eventually import eventually


def unlike(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex}"


def view(user_id: str, item_id: str) -> dict[str, object]:
    return {"user_id": user_id, "item_id": item_id, "event_type": "view"}


def test_what_a_visitor_did_counts_for_the_customer_within_a_second(shop: Shop) -> None:
    visitor, customer = unlike("visitor"), unlike("customer")
    bought = shop.item_ids()[:3]
    with shop.client() as api:
        posted(
            api,
            *({"user_id": visitor, "item_id": i, "event_type": "purchase"} for i in bought),
            *(view(visitor, i) for i in shop.item_ids()[3:6]),
        )
        users = {"source_user_id": visitor, "target_user_id": customer}
        began = time.perf_counter()
        merged = api.post("/v1/users:merge", json=users)
        assert merged.status_code == 200, merged.text
        assert merged.json()["moved_events"] == 6
        assert not merged.json()["degraded"]
        answer = api.get(recommendations(customer))
        assert answer.json()["source"] == "fold_in"
        assert time.perf_counter() - began < 1
        assert not set(bought) & set(ids_of(answer))
        assert api.get(recommendations(visitor)).json()["source"] == "popular"
        assert api.post("/v1/users:merge", json=users).json()["moved_events"] == 0
    assert len(shop.stored_events(customer)) == 6
    assert shop.stored_events(visitor) == []


def test_a_batch_of_items_is_there_and_shown_as_it_was_sent(shop: Shop) -> None:
    ids = [unlike("batch") for _ in range(1000)]
    items = [{"item_id": i, "title": f"Item {i}", "price": 2.5} for i in ids]
    with shop.client() as api:
        answer = api.post("/v1/items:batchUpsert", json={"items": [*items[:-1], {"price": 1}]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["stored"] == 999
        assert [each["index"] for each in answer.json()["rejected"]] == [999]
        assert api.get(item(ids[5])).json()["title"] == f"Item {ids[5]}"

        def are_new() -> bool:
            new = api.post("/v1/placements/new_arrivals:recommend", json={"limit": 100})
            return set(ids_of(new)) <= set(ids)

        eventually(are_new)
        for i in ids:
            assert api.delete(item(i)).status_code == 204


def test_a_thousand_events_of_nearly_eight_mebibytes_are_taken(shop: Shop) -> None:
    user_id = unlike("large")
    context = {f"name{n}": "ü" * 256 for n in range(14)}
    events = [
        {**view(user_id, f"i{n}-" + "ü" * 180), "event_id": f"{user_id} {n}", "context": context}
        for n in range(1000)
    ]
    with shop.client() as api:
        request = api.build_request("POST", "/v1/events", json={"events": events})
        assert 7.3 * 1024**2 < len(request.content) < MAX_BODY_BYTES
        answer = _sent_until_taken(api, request)
        assert answer.json()["accepted"] + answer.json()["duplicate"] == 1000
    assert len(shop.stored_events(user_id)) == 1000


def _sent_until_taken(api: httpx.Client, request: httpx.Request) -> httpx.Response:
    """A batch that a busy machine could not finish in time has less to do when it is sent again."""
    for _ in range(5):
        answer = api.send(request)
        if answer.status_code == 200:
            return answer
        assert answer.status_code in (503, 504), answer.text
    raise AssertionError(answer.text)


def test_of_a_user_who_is_forgotten_nothing_counts_any_more(shop: Shop) -> None:
    user = unlike("forgotten")
    with shop.client() as api:
        posted(api, *(view(user, i) for i in shop.item_ids()[:3]))
        assert api.get(recommendations(user)).json()["source"] == "fold_in"
        erased = api.delete(f"/v1/users/{user}")
        assert erased.status_code == 200, erased.text
        assert (erased.json()["removed_events"], erased.json()["degraded"]) == (3, False)
        assert api.get(recommendations(user)).json()["source"] == "popular"
        assert api.delete(f"/v1/users/{user}").json()["removed_events"] == 0
    assert shop.stored_events(user) == []
