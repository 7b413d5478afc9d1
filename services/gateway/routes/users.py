"""Users as a whole, and what the shop says of each."""

from fastapi import APIRouter, Depends, Request

from recsys.rpc.convert import from_attributes
from recsys.rpc.v1 import ingest_pb2
from services.gateway.dependencies import ReadContext, WriteContext, dependencies_of
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.http.raw_path import NewUserId, UserId
from services.gateway.routes.authentication import Caller, authenticated
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.schemas.problems import NOT_FOUND
from services.gateway.schemas.users import (
    ErasedUser,
    MergedUsers,
    User,
    read_changes,
    read_fields,
    read_merge,
)

PATH = "/v1/users/{user_id}"

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

    Attributes move too, as far as the other user has none of the same name. Once answered, the
    events are durably those of the target, count in its next recommendations, and are gone from
    the source. The next model sees one user. Asking again is safe, also after a failure half-way:
    what is left is moved then. Events that the source sends later stay its own.
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


@router.get(PATH, summary="Read a user", responses=problem_responses(NOT_FOUND))
async def get_user(key: Caller, user_id: UserId, call: ReadContext, request: Request) -> User:
    """Read what the shop says of a user; 404 when it says nothing, whatever the user has done."""
    question = ingest_pb2.GetUserRequest(tenant=key.tenant, user_id=user_id)
    return User.of((await dependencies_of(request).ingest.get_user(question, call)).user)


@router.put(
    PATH,
    summary="Create or replace a user",
    responses=body_responses(),
    openapi_extra=json_request("UserFields"),
)
async def put_user(
    key: Caller, user_id: NewUserId, body: JsonBody, call: WriteContext, request: Request
) -> User:
    """Say of a user this, and nothing else. Once answered, it is durable.

    Rules of the shop may depend on attributes, a second later. A user needs none to get
    recommendations, or to have events.
    """
    user = from_attributes(user_id, read_fields(body).attributes)
    question = ingest_pb2.PutUserRequest(tenant=key.tenant, user=user)
    return User.of((await dependencies_of(request).ingest.put_user(question, call)).user)


@router.patch(
    PATH,
    summary="Change attributes of a user",
    responses=body_responses(),
    openapi_extra=json_request("UserChanges"),
)
async def patch_user(
    key: Caller, user_id: NewUserId, body: JsonBody, call: WriteContext, request: Request
) -> User:
    """Set the attributes in the body, remove those that are null, and leave the others.

    A user of whom nothing was said is created. Changes of different attributes at the same moment
    all take effect. Answered is the user as it is now.
    """
    user = from_attributes(user_id, read_changes(body).attributes)
    question = ingest_pb2.PatchUserRequest(tenant=key.tenant, user=user)
    return User.of((await dependencies_of(request).ingest.patch_user(question, call)).user)


@router.delete(PATH, summary="Forget a user")
async def erase_user(
    key: Caller, user_id: UserId, call: WriteContext, request: Request
) -> ErasedUser:
    """Remove what a user did, and what answers to the user are made of.

    Once answered, attributes, events and their ids are gone from the stores, and the record of the
    serving model with them; the next `recsys nightly` trains without them. Models of before know
    the user until they are removed, and recommenders may answer from memory until the next model
    serves. Events sent later are a new user's. Asking again is safe, also after a failure half-way.
    """
    question = ingest_pb2.EraseUserRequest(tenant=key.tenant, user_id=user_id)
    erased = await dependencies_of(request).ingest.erase_user(question, call)
    return ErasedUser(
        removed_events=erased.removed_events, degraded=erased.degraded, request_id=call.request_id
    )
