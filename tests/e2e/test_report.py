"""What came of recommendations: from events over REST and gRPC to the report."""

import json
from pathlib import Path
from typing import Any

import grpc
import httpx

from recsys.rpc.v1 import ingest_pb2
from recsys.rpc.v1.ingest_pb2_grpc import IngestServiceStub
from services.gateway.schemas.reports import from_message
from tests.e2e.shop import TENANT, Shop
from tests.stack_fixture import Recsys

# Of this test alone: visits to the demo shop are counted, too.
PLACEMENT = "reported_page"


def test_a_report_counts_from_impression_to_order(
    shop: Shop, api: httpx.Client, recsys: Recsys, tmp_path: Path
) -> None:
    users = ["report ann", "report bob"]
    for user_id in users:
        answer = api.post("/v1/placements/home:recommend", json={"user_id": user_id, "limit": 4})
        found = answer.json()
        assert found["experiment"] is None
        context = {"recommendation_id": found["recommendation_id"]}
        items = [item["item_id"] for item in found["items"]]
        sent: list[dict[str, Any]] = [
            {
                "item_id": item,
                "event_type": "impression",
                "context": context | {"placement": PLACEMENT},
            }
            for item in items
        ]
        if user_id == users[0]:
            sent.append({"item_id": items[0], "event_type": "click", "context": context})
            sent.append({"item_id": items[0], "event_type": "add_to_cart", "context": context})
            bought = {"item_id": items[0], "event_type": "purchase", "context": context}
            sent.append(bought | {"quantity": 2, "price": 2.5})
        events = [{"user_id": user_id, **event} for event in sent]
        recorded = api.post("/v1/events", json={"events": events})
        assert recorded.status_code == 200, recorded.text
    # The same over gRPC: another click of Bob's.
    event = ingest_pb2.Event(
        user_id=users[1], item_id=items[1], event_type="click", context=context
    )
    with grpc.insecure_channel(f"127.0.0.1:{shop.stack.settings.ports.ingest_1}") as channel:
        request = ingest_pb2.RecordEventsRequest(tenant=TENANT, events=[event])
        IngestServiceStub(channel).RecordEvents(request, timeout=10)

    output = tmp_path / "report.json"
    period = ("--tenant", TENANT, "--start", "2020-01-01")
    done = recsys("report", *period, "--output", str(output), "--publish")
    assert done.returncode == 0, done.stderr
    written = json.loads(output.read_text())
    outcomes = written["outcomes"]
    [home] = [each for each in outcomes if each["placement"] == PLACEMENT]
    counts = {name: home[name] for name in ("users", "shown", "clicked", "carted", "orders")}
    assert counts == {"users": 2, "shown": 8, "clicked": 2, "carted": 1, "orders": 1}
    assert home["revenue"] == 5.0
    assert home["rates"]["click_rate"]["mean"] == 2 / 8
    assert PLACEMENT in done.stdout
    for kept in (api.get("/v1/reports/experiments").json(), by_grpc(shop)):
        for name in ("outcomes", "differences", "outcomes_left_out", "sample_ratio_mismatches"):
            assert kept[name] == written[name]
    read = api.get("/v1/reports/experiments")
    assert read.json()["start_time"] == "2020-01-01T00:00:00Z"
    assert read.json()["age_seconds"] < 600
    etag = {"If-None-Match": read.headers["ETag"]}
    assert api.get("/v1/reports/experiments", headers=etag).status_code == 304


def by_grpc(shop: Shop) -> dict[str, Any]:
    """The report over gRPC, as REST writes it."""
    with grpc.insecure_channel(f"127.0.0.1:{shop.stack.settings.ports.ingest_1}") as channel:
        request = ingest_pb2.GetExperimentReportRequest(tenant=TENANT)
        answer = IngestServiceStub(channel).GetExperimentReport(request, timeout=10)
    return from_message(answer.report, answer.report.made_ms).model_dump(mode="json")
