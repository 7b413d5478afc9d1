"""Ratings and search queries of events, from each way in to HBase, on the whole stack."""

import uuid
from typing import Any

import grpc
import httpx

from recsys.rpc.v1 import ingest_pb2 as pb
from recsys.rpc.v1.ingest_pb2_grpc import IngestServiceStub
from tests.e2e.shop import TENANT, Shop, posted

RATING = {"event_type": "rating", "rating": 4.5}
SEARCH = {"event_type": "search", "query": "tea light ☕"}


def details(shop: Shop, user_id: str) -> list[tuple[str, float | None, str | None]]:
    return [(each.event_type, each.rating, each.query) for each in shop.stored_events(user_id)]


def test_a_rating_and_a_query_are_stored_whichever_way_they_come(
    shop: Shop, api: httpx.Client
) -> None:
    def events(user_id: str) -> list[dict[str, Any]]:
        common = {"user_id": user_id, "item_id": "85123A"}
        return [
            {**common, "timestamp": 2_000_000_000_00 + n, **each}
            for n, each in enumerate((RATING, SEARCH))
        ]

    users = [f"{way} {uuid.uuid4().hex}" for way in ("fast", "slow", "rpc")]
    assert posted(api, *events(users[0]))["accepted"] == 2
    # With a bad one beside them they go through the schema that names faults.
    assert posted(api, *events(users[1]), {"user_id": "nobody"})["accepted"] == 2
    sent = [pb.Event(timestamp_ms=each.pop("timestamp"), **each) for each in events(users[2])]
    with grpc.insecure_channel(f"127.0.0.1:{shop.stack.settings.ports.ingest_1}") as channel:
        request = pb.RecordEventsRequest(tenant=TENANT, events=sent)
        recorded = IngestServiceStub(channel).RecordEvents(request, timeout=10)
    assert {each.status for each in recorded.results} == {pb.EVENT_STATUS_ACCEPTED}
    for user_id in users:
        assert sorted(details(shop, user_id)) == [
            ("rating", 4.5, None),
            ("search", None, "tea light ☕"),
        ]


def test_a_rating_beside_the_scale_of_its_type_is_rejected_by_itself(api: httpx.Client) -> None:
    common = {"user_id": uuid.uuid4().hex, "item_id": "85123A"}
    answer = posted(
        api,
        {**common, **RATING},
        {**common, **RATING, "rating": 7},
        {**common, "event_type": "view", "rating": 4},
    )
    assert [each["problems"] for each in answer["results"]] == [
        [],
        [{"field": "rating", "reason": "must be between 0.5 and 5, the scale of its event type"}],
        [
            {
                "field": "rating",
                "reason": "its event type has no rating_scale in the shop's settings",
            }
        ],
    ]
