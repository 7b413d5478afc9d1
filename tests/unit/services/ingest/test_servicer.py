"""The service as another client of the RPC contract sees it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct
from pydantic import SecretStr

from recsys.auth.api_keys import Scope
from recsys.auth.key_file import create_key
from recsys.auth.rpc_access import rpc_access
from recsys.config.address import Address
from recsys.config.settings import GrpcServiceSettings
from recsys.config.shop import RequestLimits
from recsys.rpc.v1 import ingest_pb2 as pb
from recsys.rpc.v1.ingest_pb2_grpc import IngestServiceStub, add_IngestServiceServicer_to_server
from recsys.runtime.grpc import thread_server
from recsys.runtime.grpc.server import MAX_MESSAGE_BYTES
from recsys.runtime.grpc.thread_server import ThreadServer
from recsys.runtime.metrics import new_metrics
from recsys.stores.memory.interactions import MemoryInteractionStore
from recsys.stores.memory.published import MemoryPublishedModels
from recsys.stores.memory.purchases import MemoryPurchaseLog
from recsys.stores.memory.reports import MemoryReports
from recsys.stores.memory.users import MemoryUserStore
from services.ingest.catalogue import Catalogue
from services.ingest.erase_user import UserEraser
from services.ingest.merge_users import UserMerger
from services.ingest.record_events import EventRecorder
from services.ingest.servicer import SERVICE, IngestServicer
from services.ingest.users import Users
from tests.builders import EVENT_TYPES, a_report
from tests.unit.services.ingest.cold_shop import ColdShop


def _an_ingest() -> IngestServicer:
    shop, interactions = ColdShop(), MemoryInteractionStore()
    recorder = EventRecorder(
        interactions,
        shop.recent,
        shop.cold_start,
        MemoryPurchaseLog(),
        lambda _: EVENT_TYPES,
        lambda: 5,
        lambda: "made",
    )
    users = Users(MemoryUserStore(), lambda: 8)
    merger = UserMerger(interactions, shop.recent, users, lambda _: EVENT_TYPES, lambda: 6)
    eraser = UserEraser(interactions, shop.recent, MemoryPublishedModels(), users, lambda: 7)
    catalogue = Catalogue(shop.items, shop.live)
    reports = MemoryReports()
    reports.publish("reported", a_report())
    return IngestServicer(recorder, catalogue, shop.cold_start, merger, eraser, reports, users)


@pytest.fixture(scope="module")
def ingest() -> Iterator[IngestServiceStub]:
    with pytest.MonkeyPatch.context() as patch:
        # A busy machine takes longer to read the largest messages.
        patch.setattr(thread_server, "MAX_WAIT_SECONDS", 10.0)
        server = ThreadServer(SERVICE, 1, new_metrics().requests, reflection=False)
    add_IngestServiceServicer_to_server(_an_ingest(), server.grpc)
    port = server.start(Address("127.0.0.1", 0))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield IngestServiceStub(channel)
    server.stop(0.1)


def an_item(item_id: str = "lamp") -> pb.Item:
    attributes = Struct()
    attributes.update({"colour": "red", "watts": 7.5, "dimmable": True})
    return pb.Item(
        item_id=item_id,
        title="Lamp",
        price=5.0,
        available=True,
        attributes=attributes,
        created_ms=1_690_000_000_000,
    )


def test_events_are_answered_in_order(ingest: IngestServiceStub) -> None:
    good = pb.Event(user_id="ann", item_id="lamp", event_type="view")
    bad = pb.Event(user_id="ann", item_id="lamp", event_type="teleport", event_id="e")
    answer = ingest.RecordEvents(pb.RecordEventsRequest(tenant="shop", events=[bad, good]))
    first, second = answer.results
    assert (first.status, first.event_id) == (pb.EVENT_STATUS_REJECTED, "e")
    assert first.problems[0].field == "event_type"
    assert (second.status, second.event_id) == (pb.EVENT_STATUS_ACCEPTED, "made")
    assert not answer.degraded


def test_batches_are_answered_in_order_and_one_that_fails_says_why(
    ingest: IngestServiceStub,
) -> None:
    event = pb.Event(event_id="own", user_id="ann", item_id="lamp", event_type="view")
    batches = [pb.RecordEventsRequest(tenant="shop", events=events) for events in ([event], [])]
    good, empty = ingest.RecordEventBatches(pb.RecordEventBatchesRequest(batches=batches)).batches
    assert [result.status for result in good.recorded.results] == [pb.EVENT_STATUS_ACCEPTED]
    assert not empty.HasField("recorded")
    assert empty.failure.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "events" in empty.failure.metadata["recsys-problems"]


@pytest.mark.parametrize("count", [0, 65])
def test_a_call_has_bounds_of_batches(ingest: IngestServiceStub, count: int) -> None:
    request = pb.RecordEventBatchesRequest(batches=[pb.RecordEventsRequest()] * count)
    with pytest.raises(grpc.RpcError) as raised:
        ingest.RecordEventBatches(request)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("timestamp_ms", "reason"),
    [
        (0, "counts seconds"),
        (1_700_000_000, "counts seconds"),
        (1_700_000_000_000_000, "counts microseconds"),
        (1_700_000_000_000_000_000, "counts nanoseconds"),
        (-1, "before 1970"),
    ],
)
def test_a_number_of_another_unit_is_refused_by_name(
    ingest: IngestServiceStub, timestamp_ms: int, reason: str
) -> None:
    event = pb.Event(user_id="z", item_id="i", event_type="view", timestamp_ms=timestamp_ms)
    [result] = ingest.RecordEvents(pb.RecordEventsRequest(tenant="shop", events=[event])).results
    assert result.status == pb.EVENT_STATUS_REJECTED
    [problem] = result.problems
    assert problem.field == "timestamp"
    assert reason in problem.reason


def test_ids_that_fill_a_message_are_refused_and_the_other_events_are_taken(
    ingest: IngestServiceStub,
) -> None:
    good = pb.Event(user_id="a", item_id="l", event_type="view", event_id="g")
    # Together with what is wrong with it, it would be too long for an answer.
    longest = MAX_MESSAGE_BYTES - 70
    bad = pb.Event(user_id="a", item_id="l", event_type="view", event_id="e" * longest)
    answer = ingest.RecordEvents(pb.RecordEventsRequest(tenant="shop", events=[bad, good]))
    first, second = answer.results
    assert (first.status, first.event_id) == (pb.EVENT_STATUS_REJECTED, "e" * 256)
    assert first.problems[0].field == "event_id"
    assert second.status == pb.EVENT_STATUS_ACCEPTED


def test_the_largest_batch_of_bad_events_is_answered_one_by_one(ingest: IngestServiceStub) -> None:
    long = "\U0001f388" * 257
    bad = pb.Event(user_id=long, item_id=long, event_type=long, event_id=long[:250], price=-1)
    answer = ingest.RecordEvents(pb.RecordEventsRequest(tenant="shop", events=[bad] * 1000))
    assert len(answer.results) == 1000
    assert [problem.field for problem in answer.results[-1].problems] == [
        "user_id",
        "item_id",
        "event_type",
        "price",
    ]


def test_a_message_that_is_too_large_is_refused_and_the_next_one_taken(
    ingest: IngestServiceStub,
) -> None:
    event = pb.Event(
        user_id="ann", item_id="lamp", event_type="view", event_id="e" * MAX_MESSAGE_BYTES
    )
    with pytest.raises(grpc.RpcError) as caught:
        ingest.RecordEvents(pb.RecordEventsRequest(tenant="shop", events=[event]))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    event.event_id = ""
    assert ingest.RecordEvents(pb.RecordEventsRequest(tenant="shop", events=[event])).results


def test_an_item_round_trips(ingest: IngestServiceStub) -> None:
    item = an_item()
    assert ingest.PutItem(pb.PutItemRequest(tenant="shop", item=item)).item == item
    got = ingest.GetItem(pb.GetItemRequest(tenant="shop", item_id="lamp"))
    assert got.item == item
    assert not got.item.HasField("brand")


def test_the_mask_says_what_a_patch_changes(ingest: IngestServiceStub) -> None:
    ingest.PutItem(pb.PutItemRequest(tenant="shop", item=an_item("patched")))
    patch = pb.Item(item_id="patched", title="ignored", available=False)
    request = pb.PatchItemRequest(
        tenant="shop", item=patch, update_mask=FieldMask(paths=["available", "price"])
    )
    item = ingest.PatchItem(request).item
    assert (item.title, item.available, item.HasField("price")) == ("Lamp", False, False)


def test_what_is_wrong_comes_as_a_status(ingest: IngestServiceStub) -> None:
    nested = an_item()
    nested.attributes.update({"sizes": [1, 2]})
    refused = [
        (ingest.PutItem, pb.PutItemRequest(tenant="shop", item=nested), "attributes.sizes"),
        (ingest.PutItem, pb.PutItemRequest(tenant="shop"), "item_id"),
        (ingest.GetItem, pb.GetItemRequest(tenant="shop", item_id="a\0"), "item_id"),
        (ingest.DeleteItem, pb.DeleteItemRequest(tenant="shop"), "item_id"),
        (ingest.RecordEvents, pb.RecordEventsRequest(tenant="shop"), "events"),
        (
            ingest.PatchItem,
            pb.PatchItemRequest(
                tenant="shop", item=an_item(), update_mask=FieldMask(paths=["colour"])
            ),
            "colour",
        ),
    ]
    for method, request, field in refused:
        with pytest.raises(grpc.RpcError) as caught:
            method(request)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert caught.value.details().startswith(f"{field}: ")


def test_an_unknown_item_is_not_found(ingest: IngestServiceStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ingest.GetItem(pb.GetItemRequest(tenant="shop", item_id="other"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_shop_without_a_model_is_recommended_what_there_is(ingest: IngestServiceStub) -> None:
    tenant = "newshop"
    ingest.PutItem(pb.PutItemRequest(tenant=tenant, item=an_item("chair")))
    event = pb.Event(user_id="ann", item_id="chair", event_type="view")
    ingest.RecordEvents(pb.RecordEventsRequest(tenant=tenant, events=[event]))
    found = ingest.ColdStartItems(pb.ColdStartItemsRequest(tenant=tenant, limit=10))
    assert [(item.item_id, item.title) for item in found.items] == [("chair", "Lamp")]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ColdStartItemsRequest(tenant="shop"), "limit"),
        (pb.ColdStartItemsRequest(tenant="shop", limit=101), "limit"),
        (pb.ColdStartItemsRequest(tenant="shop", limit=1, user_id="a\0"), "user_id"),
        (
            pb.ColdStartItemsRequest(tenant="shop", limit=1, excluded_item_ids=["i"] * 2101),
            "excluded_item_ids",
        ),
    ],
)
def test_what_is_asked_of_a_cold_start_has_bounds(
    ingest: IngestServiceStub, request_: pb.ColdStartItemsRequest, field: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        ingest.ColdStartItems(request_)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().startswith(f"{field}: ")


def test_a_service_with_a_token_holds_callers_to_their_keys(tmp_path: Path) -> None:
    text = create_key(tmp_path / "keys.toml", "shop", [Scope.READ])
    settings = GrpcServiceSettings(
        listen=Address("127.0.0.1", 0),
        service_token=SecretStr("0123456789abcdef"),
        api_keys=tmp_path / "keys.toml",
    )
    server = ThreadServer(
        SERVICE,
        1,
        new_metrics().requests,
        reflection=False,
        authorize=rpc_access(settings, lambda: None, lambda _: RequestLimits()),
    )
    add_IngestServiceServicer_to_server(_an_ingest(), server.grpc)
    port = server.start(Address("127.0.0.1", 0))
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = IngestServiceStub(channel)

        def refused(method: Any, request: Any, *metadata: tuple[str, str]) -> grpc.StatusCode:
            with pytest.raises(grpc.RpcError) as caught:
                method(request, metadata=metadata, timeout=5)
            return caught.value.code()

        key = ("x-api-key", text)
        get = pb.GetItemRequest(tenant="shop", item_id="lamp")
        put = pb.PutItemRequest(tenant="shop", item=an_item())
        elsewhere = pb.GetItemRequest(tenant="other", item_id="lamp")
        assert refused(stub.GetItem, get) is grpc.StatusCode.UNAUTHENTICATED
        assert refused(stub.PutItem, put, key) is grpc.StatusCode.PERMISSION_DENIED
        assert refused(stub.GetItem, elsewhere, key) is grpc.StatusCode.PERMISSION_DENIED
        assert refused(stub.GetItem, get, key) is grpc.StatusCode.NOT_FOUND
        stub.PutItem(put, metadata=[("x-service-token", "0123456789abcdef")], timeout=5)
        assert stub.GetItem(get, metadata=[key], timeout=5).item.title == "Lamp"
    server.stop(0.1)


def test_users_are_merged_once(ingest: IngestServiceStub) -> None:
    events = [
        pb.Event(user_id="visitor", item_id=f"i{n}", event_type="view", event_id=f"merge-{n}")
        for n in range(3)
    ]
    ingest.RecordEvents(pb.RecordEventsRequest(tenant="shop", events=events))
    users = pb.MergeUsersRequest(tenant="shop", source_user_id="visitor", target_user_id="ann")
    assert ingest.MergeUsers(users) == pb.MergeUsersResponse(moved_events=3)
    assert ingest.MergeUsers(users) == pb.MergeUsersResponse(moved_events=0)


def test_a_bad_item_of_a_batch_fails_no_other(ingest: IngestServiceStub) -> None:
    bad = pb.Item(item_id="bad", price=-1)
    items = [an_item("first"), bad, an_item("first"), pb.Item()]
    answer = ingest.PutItems(pb.PutItemsRequest(tenant="shop", items=items))
    assert [[problem.field for problem in result.problems] for result in answer.results] == [
        *([], ["price"], ["item_id"], ["item_id"])
    ]
    get = pb.GetItemRequest(tenant="shop", item_id="first")
    assert ingest.GetItem(get).item.title == "Lamp"


def test_nothing_new_is_stored_under_an_id_with_space_around_it(ingest: IngestServiceStub) -> None:
    event = pb.Event(user_id=" ann", item_id="i1\u2003", event_type="view")
    recorded = ingest.RecordEvents(pb.RecordEventsRequest(tenant="shop", events=[event]))
    assert [problem.field for problem in recorded.results[0].problems] == ["user_id", "item_id"]

    stored = ingest.PutItems(pb.PutItemsRequest(tenant="shop", items=[an_item("lamp ")]))
    assert [problem.field for problem in stored.results[0].problems] == ["item_id"]

    for call, request in (
        (ingest.PutItem, pb.PutItemRequest(tenant="shop", item=an_item("lamp "))),
        (ingest.PutUser, pb.PutUserRequest(tenant="shop", user=pb.User(user_id="ann "))),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call(request)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "must not begin or end with a space" in caught.value.details()


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_of_items_has_its_bounds(ingest: IngestServiceStub, count: int) -> None:
    request = pb.PutItemsRequest(tenant="shop", items=[an_item()] * count)
    with pytest.raises(grpc.RpcError) as caught:
        ingest.PutItems(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_the_last_report_is_read_whole(ingest: IngestServiceStub) -> None:
    answer = ingest.GetExperimentReport(pb.GetExperimentReportRequest(tenant="reported"))
    alone, control, other = answer.report.outcomes
    assert (control.placement, control.experiment, control.variant) == ("home", "mixed", "control")
    assert (control.users, control.shown, control.revenue) == (10, 80, 12.5)
    assert control.rates.click_rate == pb.RateInterval(mean=0.25, low=0.125, high=0.375)
    assert not alone.rates.conversion.HasField("low")
    [difference] = answer.report.differences
    assert (difference.variant, difference.baseline) == (other.variant, "control")
    assert answer.revision


def test_a_report_that_nobody_made_is_not_found(ingest: IngestServiceStub) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        ingest.GetExperimentReport(pb.GetExperimentReportRequest(tenant="shop"))
    assert raised.value.code() is grpc.StatusCode.NOT_FOUND
    assert "recsys report --publish" in raised.value.details()
