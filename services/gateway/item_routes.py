"""The catalogue: one item at a time."""

from fastapi import APIRouter, Depends, Request, Response
from google.protobuf.field_mask_pb2 import FieldMask

from recsys.rpc.v1 import ingest_pb2
from services.gateway.authentication import Ingester, Reader, ingester_key, reader_key
from services.gateway.call_context import ReadContext, WriteContext
from services.gateway.dependencies import dependencies_of
from services.gateway.item_bodies import Item, changed, from_message, read_fields, to_message
from services.gateway.json_body import JsonBody
from services.gateway.openapi import body_responses, json_request, problem_responses
from services.gateway.problems import NOT_FOUND
from services.gateway.query import only_parameters
from services.gateway.raw_path import ItemId

PATH = "/v1/items/{item_id}"

# Who is calling is asked first: a stranger learns nothing else.
_READING = [Depends(reader_key), Depends(only_parameters())]
_WRITING = [Depends(ingester_key), Depends(only_parameters())]

router = APIRouter(tags=["items"], responses=problem_responses())


@router.get(
    PATH,
    summary="Read an item",
    dependencies=_READING,
    responses=problem_responses(NOT_FOUND),
)
async def get_item(item_id: ItemId, key: Reader, call: ReadContext, request: Request) -> Item:
    question = ingest_pb2.GetItemRequest(tenant=key.tenant, item_id=item_id)
    return from_message(await dependencies_of(request).ingest.get_item(question, call))


@router.put(
    PATH,
    summary="Create or replace an item",
    dependencies=_WRITING,
    responses=body_responses(),
    openapi_extra=json_request("ItemFields"),
)
async def put_item(
    item_id: ItemId, key: Ingester, body: JsonBody, call: WriteContext, request: Request
) -> Item:
    """Store an item whole. Once answered, it is durable; with `available: false` it is hidden."""
    item = to_message(item_id, read_fields(body))
    question = ingest_pb2.PutItemRequest(tenant=key.tenant, item=item)
    return from_message(await dependencies_of(request).ingest.put_item(question, call))


@router.patch(
    PATH,
    summary="Change fields of an item",
    dependencies=_WRITING,
    responses={**body_responses(), **problem_responses(NOT_FOUND)},
    openapi_extra=json_request("ItemChanges"),
)
async def patch_item(
    item_id: ItemId, key: Ingester, body: JsonBody, call: WriteContext, request: Request
) -> Item:
    """Replace the fields in the body, each as a whole; null clears a title, brand or price.

    Of two changes at the same moment the one written last wins, with all fields of the item.
    """
    fields = read_fields(body)
    question = ingest_pb2.PatchItemRequest(
        tenant=key.tenant,
        item=to_message(item_id, fields),
        update_mask=FieldMask(paths=changed(fields)),
    )
    return from_message(await dependencies_of(request).ingest.patch_item(question, call))


@router.delete(
    PATH,
    summary="Remove an item",
    status_code=204,
    response_class=Response,
    dependencies=_WRITING,
)
async def delete_item(item_id: ItemId, key: Ingester, call: WriteContext, request: Request) -> None:
    """Remove an item and hide it from all recommendations. One that is not there is no error."""
    question = ingest_pb2.DeleteItemRequest(tenant=key.tenant, item_id=item_id)
    await dependencies_of(request).ingest.delete_item(question, call)
