"""The IngestService of the RPC contract. Errors become statuses in recsys.runtime.grpc.guard."""

from typing import Any

from recsys.core.domain import checked_tenant, identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput, NotFound
from recsys.core.limits import MAX_EVENT_BATCHES, MAX_EVENTS, MAX_ITEMS
from recsys.core.ports import Reports
from recsys.core.recording import Recorded
from recsys.rpc.convert import (
    from_item,
    from_item_problems,
    from_recorded,
    from_user,
    read_items,
    to_attribute_changes,
    to_changes,
    to_condition,
    to_draft,
    to_new_item,
    to_user,
)
from recsys.rpc.reports import from_report
from recsys.rpc.v1 import ingest_pb2, ingest_pb2_grpc
from recsys.runtime.grpc.errors import status_of
from recsys.runtime.grpc.guard import log_failure
from services.ingest.catalogue import Catalogue
from services.ingest.cold_start import ColdStart
from services.ingest.erase_user import UserEraser
from services.ingest.merge_users import UserMerger
from services.ingest.record_events import EventRecorder
from services.ingest.users import Users

SERVICE = "recsys.rpc.v1.IngestService"


class IngestServicer(ingest_pb2_grpc.IngestServiceServicer):
    def __init__(
        self,
        recorder: EventRecorder,
        catalogue: Catalogue,
        cold_start: ColdStart,
        merger: UserMerger,
        eraser: UserEraser,
        reports: Reports,
        users: Users,
    ) -> None:
        self._recorder = recorder
        self._catalogue = catalogue
        self._cold_start = cold_start
        self._merger = merger
        self._eraser = eraser
        self._reports = reports
        self._users = users

    def RecordEvents(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.RecordEventsRequest, context: Any
    ) -> ingest_pb2.RecordEventsResponse:
        del context
        recorded = self._recorder.record(
            checked_tenant(request.tenant), [to_draft(e) for e in request.events]
        )
        return from_recorded(recorded)

    def RecordEventBatches(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.RecordEventBatchesRequest, context: Any
    ) -> ingest_pb2.RecordEventBatchesResponse:
        del context
        if not 1 <= len(request.batches) <= MAX_EVENT_BATCHES:
            reason = f"must be 1 to {MAX_EVENT_BATCHES}, not {len(request.batches)}"
            raise InvalidInput([FieldProblem("batches", reason)])
        if (events := sum(len(batch.events) for batch in request.batches)) > MAX_EVENTS:
            reason = f"must have {MAX_EVENTS} events at most, not {events}"
            raise InvalidInput([FieldProblem("batches", reason)])
        results = self._recorder.record_batches(
            [(batch.tenant, [to_draft(e) for e in batch.events]) for batch in request.batches]
        )
        return ingest_pb2.RecordEventBatchesResponse(batches=map(_from_result, results))

    def MergeUsers(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.MergeUsersRequest, context: Any
    ) -> ingest_pb2.MergeUsersResponse:
        del context
        merged = self._merger.merge(
            checked_tenant(request.tenant), request.source_user_id, request.target_user_id
        )
        return ingest_pb2.MergeUsersResponse(
            moved_events=merged.moved_events, degraded=merged.degraded
        )

    def EraseUser(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.EraseUserRequest, context: Any
    ) -> ingest_pb2.EraseUserResponse:
        del context
        erased = self._eraser.erase(checked_tenant(request.tenant), request.user_id)
        return ingest_pb2.EraseUserResponse(
            removed_events=erased.removed_events, degraded=erased.degraded
        )

    def PutUser(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.PutUserRequest, context: Any
    ) -> ingest_pb2.PutUserResponse:
        del context
        user = self._users.put(checked_tenant(request.tenant), to_user(request.user))
        return ingest_pb2.PutUserResponse(user=from_user(user))

    def GetUser(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.GetUserRequest, context: Any
    ) -> ingest_pb2.GetUserResponse:
        del context
        user = self._users.get(checked_tenant(request.tenant), request.user_id)
        return ingest_pb2.GetUserResponse(user=from_user(user))

    def PatchUser(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.PatchUserRequest, context: Any
    ) -> ingest_pb2.PatchUserResponse:
        del context
        tenant, changes = checked_tenant(request.tenant), to_attribute_changes(request.user)
        user = self._users.patch(tenant, request.user.user_id, changes)
        return ingest_pb2.PatchUserResponse(user=from_user(user))

    def PutItems(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.PutItemsRequest, context: Any
    ) -> ingest_pb2.PutItemsResponse:
        del context
        tenant = checked_tenant(request.tenant)
        if not 1 <= len(request.items) <= MAX_ITEMS:
            reason = f"must be 1 to {MAX_ITEMS}, not {len(request.items)}"
            raise InvalidInput([FieldProblem("items", reason)])
        items, problems = read_items(request.items)
        if items:
            self._catalogue.put_many(tenant, items)
        return ingest_pb2.PutItemsResponse(results=map(from_item_problems, problems))

    def PutItem(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.PutItemRequest, context: Any
    ) -> ingest_pb2.PutItemResponse:
        del context
        condition = to_condition(request.condition)
        tenant, wanted = checked_tenant(request.tenant), to_new_item(request.item)
        item = self._catalogue.put(tenant, wanted, condition)
        return ingest_pb2.PutItemResponse(item=from_item(item), revision=item.revision)

    def GetItem(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.GetItemRequest, context: Any
    ) -> ingest_pb2.GetItemResponse:
        del context
        item = self._catalogue.get(checked_tenant(request.tenant), _checked(request.item_id))
        return ingest_pb2.GetItemResponse(item=from_item(item), revision=item.revision)

    def PatchItem(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.PatchItemRequest, context: Any
    ) -> ingest_pb2.PatchItemResponse:
        del context
        item_id = _checked(request.item.item_id)
        changes, condition = to_changes(request), to_condition(request.condition)
        item = self._catalogue.patch(checked_tenant(request.tenant), item_id, changes, condition)
        return ingest_pb2.PatchItemResponse(item=from_item(item), revision=item.revision)

    def DeleteItem(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.DeleteItemRequest, context: Any
    ) -> ingest_pb2.DeleteItemResponse:
        del context
        tenant, item_id = checked_tenant(request.tenant), _checked(request.item_id)
        self._catalogue.delete(tenant, item_id, to_condition(request.condition))
        return ingest_pb2.DeleteItemResponse()

    def ColdStartItems(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.ColdStartItemsRequest, context: Any
    ) -> ingest_pb2.ColdStartItemsResponse:
        del context
        items = self._cold_start.recommend(
            checked_tenant(request.tenant),
            request.user_id or None,
            request.excluded_item_ids,
            request.limit,
        )
        shown = (
            ingest_pb2.ColdStartItem(item_id=i.item_id, title=i.title, price=i.price) for i in items
        )
        return ingest_pb2.ColdStartItemsResponse(items=shown)

    def GetExperimentReport(  # noqa: N802  # named by the proto
        self, request: ingest_pb2.GetExperimentReportRequest, context: Any
    ) -> ingest_pb2.GetExperimentReportResponse:
        del context
        tenant = checked_tenant(request.tenant)
        report = self._reports.latest(tenant)
        if report is None:
            raise NotFound(
                "there is no report yet: `recsys report --publish --days 28"
                f" --tenant {tenant}` makes one"
            )
        return from_report(report)


def _from_result(result: Recorded | Exception) -> ingest_pb2.RecordedBatch:
    if isinstance(result, Recorded):
        return ingest_pb2.RecordedBatch(recorded=from_recorded(result))
    log_failure("RecordEventBatches", result)
    code, details, metadata = status_of(result)
    failure = ingest_pb2.Failure(code=code.value[0], details=details, metadata=dict(metadata))
    return ingest_pb2.RecordedBatch(failure=failure)


def _checked(item_id: str) -> str:
    if reason := identifier_problem(item_id):
        raise InvalidInput([FieldProblem("item_id", reason)])
    return item_id
