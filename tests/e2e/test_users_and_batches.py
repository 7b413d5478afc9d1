"""Merged users, batches of items and large batches of events, on the whole stack."""

import time
import uuid
from urllib.parse import quote

import grpc
import httpx

from recsys.core.limits import MAX_BODY_BYTES
from recsys.rpc.v1 import ingest_pb2 as pb
from recsys.rpc.v1.ingest_pb2_grpc import IngestServiceStub
from tests.e2e.shop import TENANT, Shop, ids_of, item, posted, recommendations
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


def test_attributes_of_a_user_are_kept_merged_and_forgotten(shop: Shop) -> None:
    visitor, customer = unlike("visitor/ü"), unlike("customer")
    said = {"tier": "gold", "orders": 12.5, "newsletter": True}
    with shop.client() as api:

        def read(user_id: str) -> httpx.Response:
            return api.get(f"/v1/users/{quote(user_id, safe='')}")

        assert read(visitor).status_code == 404
        path = f"/v1/users/{quote(visitor, safe='')}"
        assert api.put(path, json={"attributes": said | {"language": "de"}}).status_code == 200
        changed = api.patch(path, json={"attributes": {"tier": None, "orders": 13}})
        assert changed.json()["attributes"] == {"language": "de", "orders": 13, "newsletter": True}
        address = f"127.0.0.1:{shop.stack.settings.ports.ingest_1}"
        with grpc.insecure_channel(address) as channel:
            stub, user = IngestServiceStub(channel), pb.User(user_id=customer)
            user.attributes.update(said)
            stub.PutUser(pb.PutUserRequest(tenant=TENANT, user=user), timeout=10)
            assert read(customer).json() == {"user_id": customer, "attributes": said}
            users = {"source_user_id": visitor, "target_user_id": customer}
            assert api.post("/v1/users:merge", json=users).status_code == 200
            question = pb.GetUserRequest(tenant=TENANT, user_id=customer)
            found = stub.GetUser(question, timeout=10).user
            assert dict(found.attributes.items()) == said | {"language": "de"}
        assert read(visitor).status_code == 404
        assert api.delete(f"/v1/users/{customer}").status_code == 200
        assert read(customer).status_code == 404


def test_a_batch_of_items_is_there_and_shown_as_it_was_sent(shop: Shop) -> None:
    ids = [unlike("batch") for _ in range(1000)]
    # Items of other tests may say that they came later: up to a day ahead is allowed.
    brand = unlike("brand")
    items = [{"item_id": i, "title": f"Item {i}", "price": 2.5, "brand": brand} for i in ids]
    with shop.client() as api:
        answer = api.post("/v1/items:batchUpsert", json={"items": [*items[:-1], {"price": 1}]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["stored"] == 999
        assert [each["index"] for each in answer.json()["rejected"]] == [999]
        assert api.get(item(ids[5])).json()["title"] == f"Item {ids[5]}"

        def are_new() -> bool:
            body = {"limit": 100, "filter": f"brand = '{brand}'"}
            new = ids_of(api.post("/v1/placements/new_arrivals:recommend", json=body))
            return len(new) == 100 and set(new) <= set(ids)

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
