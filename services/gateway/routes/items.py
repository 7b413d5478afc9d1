"""The catalogue: one item at a time, or many."""

from collections.abc import Iterable, Sequence

from fastapi import APIRouter, Depends, Request, Response
from google.protobuf.field_mask_pb2 import FieldMask

from recsys.rpc.convert import from_condition, to_item_problems
from recsys.rpc.v1 import ingest_pb2
from services.gateway.dependencies import ReadContext, WriteContext, dependencies_of
from services.gateway.http.etags import Preconditions, etag_of, is_known_to_caller
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.http.raw_path import ItemId, NewItemId
from services.gateway.routes.authentication import Caller, authenticated
from services.gateway.routes.openapi import (
    Responses,
    body_responses,
    json_request,
    problem_responses,
    with_etag,
)
from services.gateway.schemas.item_batches import (
    ItemBatchAnswer,
    read_item,
    read_item_batch,
    rejected,
)
from services.gateway.schemas.items import Item, changed, from_message, read_fields, to_message
from services.gateway.schemas.problems import (
    INVALID_INPUT,
    NOT_FOUND,
    PRECONDITION_FAILED,
    ProblemError,
)
from services.gateway.upstream.ingest import CallContext, Ingest

PATH = "/v1/items/{item_id}"

# Packed on its way an answer would lose its ETag, or get a weak one, which If-Match does not take.
_HEADERS = {"Cache-Control": "private, no-cache, no-transform"}

_READ = with_etag("item")
_WRITTEN: Responses = {200: _READ[200]}

router = APIRouter(
    tags=["items"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses={**problem_responses(), **problem_responses(PRECONDITION_FAILED)},
)


@router.get(
    PATH,
    summary="Read an item",
    response_model=Item,
    responses={**problem_responses(NOT_FOUND), **_READ},
)
async def get_item(
    item_id: ItemId, key: Caller, condition: Preconditions, call: ReadContext, request: Request
) -> Response:
    """Read an item as the catalogue has it now."""
    question = ingest_pb2.GetItemRequest(tenant=key.tenant, item_id=item_id)
    found = await dependencies_of(request).ingest.get_item(question, call)
    if is_known_to_caller(condition, found.revision):
        return Response(status_code=304, headers=_headers(found.revision))
    return _item(found.item, found.revision)


@router.put(
    PATH,
    summary="Create or replace an item",
    response_model=Item,
    responses={**body_responses(), **_WRITTEN},
    openapi_extra=json_request("ItemFields"),
)
async def put_item(
    item_id: NewItemId,
    key: Caller,
    condition: Preconditions,
    body: JsonBody,
    call: WriteContext,
    request: Request,
) -> Response:
    """Store an item whole. Once answered, it is durable; with `available: false` it is hidden.

    With `If-None-Match: *` an item is created and none is replaced.
    """
    question = ingest_pb2.PutItemRequest(
        tenant=key.tenant,
        item=to_message(item_id, read_fields(body)),
        condition=from_condition(condition),
    )
    stored = await dependencies_of(request).ingest.put_item(question, call)
    return _item(stored.item, stored.revision)


@router.patch(
    PATH,
    summary="Change fields of an item",
    response_model=Item,
    responses={**body_responses(), **problem_responses(NOT_FOUND), **_WRITTEN},
    openapi_extra=json_request("ItemChanges"),
)
async def patch_item(
    item_id: ItemId,
    key: Caller,
    condition: Preconditions,
    body: JsonBody,
    call: WriteContext,
    request: Request,
) -> Response:
    """Replace the fields in the body, each as a whole; null clears a title, brand or price.

    Changes of different fields at the same moment all take effect; of one field the last one wins,
    unless `If-Match` says what it is to be based on.
    """
    fields = read_fields(body)
    question = ingest_pb2.PatchItemRequest(
        tenant=key.tenant,
        item=to_message(item_id, fields),
        update_mask=FieldMask(paths=changed(fields)),
        condition=from_condition(condition),
    )
    stored = await dependencies_of(request).ingest.patch_item(question, call)
    return _item(stored.item, stored.revision)


@router.delete(
    PATH,
    summary="Remove an item",
    status_code=204,
    response_class=Response,
)
async def delete_item(
    item_id: ItemId, key: Caller, condition: Preconditions, call: WriteContext, request: Request
) -> None:
    """Remove an item and hide it from all recommendations. One that is not there is no error."""
    question = ingest_pb2.DeleteItemRequest(
        tenant=key.tenant, item_id=item_id, condition=from_condition(condition)
    )
    await dependencies_of(request).ingest.delete_item(question, call)


@router.post(
    "/v1/items:batchUpsert",
    summary="Create or replace many items",
    responses=body_responses(),
    openapi_extra=json_request("ItemBatch"),
)
async def batch_upsert_items(
    key: Caller, body: JsonBody, call: WriteContext, request: Request
) -> ItemBatchAnswer:
    """Store items whole, up to 1000 in a request. Once answered, those stored are durable.

    An invalid item never fails the others: the response has the place of each that was rejected,
    and why. Of two with the same id the first is stored. The status is 200 when any item was
    stored, 422 with the same response when none was. Sending a batch again is safe.
    """
    bodies = read_item_batch(body)
    items = [read_item(body) for body in bodies]
    readable = [item for item in items if isinstance(item, ingest_pb2.Item)]
    results = iter(await _put_all(dependencies_of(request).ingest, key.tenant, readable, call))
    problems = [
        to_item_problems(next(results)) if isinstance(item, ingest_pb2.Item) else item
        for item in items
    ]
    refused = rejected(bodies, problems)
    answer = ItemBatchAnswer(
        stored=len(bodies) - len(refused), rejected=refused, request_id=call.request_id
    )
    if not answer.stored:
        raise ProblemError(INVALID_INPUT, "no item was stored", members=answer.model_dump())
    return answer


async def _put_all(
    ingest: Ingest, tenant: str, items: Sequence[ingest_pb2.Item], call: CallContext
) -> Iterable[ingest_pb2.ItemResult]:
    if not items:
        return ()
    request = ingest_pb2.PutItemsRequest(tenant=tenant, items=items)
    return (await ingest.put_items(request, call)).results


def _item(item: ingest_pb2.Item, revision: str) -> Response:
    return Response(
        from_message(item).model_dump_json(),
        headers=_headers(revision),
        media_type="application/json",
    )


def _headers(revision: str) -> dict[str, str]:
    return {"ETag": etag_of(revision), **_HEADERS}
