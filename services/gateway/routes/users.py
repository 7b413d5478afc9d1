"""Users as a whole."""

from fastapi import APIRouter, Depends, Request

from recsys.rpc.v1 import ingest_pb2
from services.gateway.dependencies import dependencies_of
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.http.raw_path import UserId
from services.gateway.routes.authentication import Caller, authenticated
from services.gateway.routes.call_context import WriteContext
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.schemas.users import ErasedUser, MergedUsers, read_merge

router = APIRouter(
    tags=["users"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses=problem_responses(),
)


@router.post(
    "/v1/users:merge",
    summary="Merge two users",
    responses=body_responses(),
    openapi_extra=json_request("UserMerge"),
)
async def merge_users(
    key: Caller, body: JsonBody, call: WriteContext, request: Request
) -> MergedUsers:
    """Move the events of a user, such as an anonymous visitor who logged in, to another.

    Once answered, the events are durably those of the target, count in its next recommendations,
    and are gone from the source. The next model sees one user. Asking again is safe, also after a
    failure half-way: what is left is moved then. Events that the source sends later stay its own.
    """
    users = read_merge(body)
    question = ingest_pb2.MergeUsersRequest(
        tenant=key.tenant,
        source_user_id=users.source_user_id,
        target_user_id=users.target_user_id,
    )
    merged = await dependencies_of(request).ingest.merge_users(question, call)
    return MergedUsers(
        moved_events=merged.moved_events, degraded=merged.degraded, request_id=call.request_id
    )


@router.delete("/v1/users/{user_id}", summary="Forget a user")
async def erase_user(
    key: Caller, user_id: UserId, call: WriteContext, request: Request
) -> ErasedUser:
    """Remove what a user did, and what answers to the user are made of.

    Once answered, the events and their ids are gone from the store of behaviour, and the record of
    the serving model with them; the next `recsys nightly` trains without them. Models of before
    know the user until they are removed, and recommenders may answer from memory until the next
    model serves. Events sent later are a new user's. Asking again is safe, also after a failure
    half-way.
    """
    question = ingest_pb2.EraseUserRequest(tenant=key.tenant, user_id=user_id)
    erased = await dependencies_of(request).ingest.erase_user(question, call)
    return ErasedUser(
        removed_events=erased.removed_events, degraded=erased.degraded, request_id=call.request_id
    )
