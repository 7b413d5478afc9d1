"""The catalogue: one item at a time."""

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from google.protobuf.field_mask_pb2 import FieldMask

from recsys.rpc.convert import from_condition
from recsys.rpc.v1 import ingest_pb2
from services.gateway.dependencies import dependencies_of
from services.gateway.http.etags import Preconditions, etag_of, is_known_to_caller
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.http.raw_path import ItemId
from services.gateway.routes.authentication import Caller, authenticated
from services.gateway.routes.call_context import ReadContext, WriteContext
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.schemas.items import Item, changed, from_message, read_fields, to_message
from services.gateway.schemas.problems import NOT_FOUND, PRECONDITION_FAILED

PATH = "/v1/items/{item_id}"

_ETAG = {
    "ETag": {
        "description": "Tells this state of the item from all others.",
        "schema": {"type": "string"},
    }
}
# Packed on its way an answer would lose its ETag, or get a weak one, which If-Match does not take.
_HEADERS = {"Cache-Control": "private, no-cache, no-transform"}

_WITH_ETAG: dict[int | str, dict[str, Any]] = {200: {"headers": _ETAG}}
_NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The caller has this state already", "headers": _ETAG}
}

router = APIRouter(
    tags=["items"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses={**problem_responses(), **problem_responses(PRECONDITION_FAILED)},
)


@router.get(
    PATH,
    summary="Read an item",
    response_model=Item,
    responses={**problem_responses(NOT_FOUND), **_WITH_ETAG, **_NOT_MODIFIED},
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
    responses={**body_responses(), **_WITH_ETAG},
    openapi_extra=json_request("ItemFields"),
)
async def put_item(
    item_id: ItemId,
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
    responses={**body_responses(), **problem_responses(NOT_FOUND), **_WITH_ETAG},
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


def _item(item: ingest_pb2.Item, revision: str) -> Response:
    return Response(
        from_message(item).model_dump_json(),
        headers=_headers(revision),
        media_type="application/json",
    )


def _headers(revision: str) -> dict[str, str]:
    return {"ETag": etag_of(revision), **_HEADERS}
