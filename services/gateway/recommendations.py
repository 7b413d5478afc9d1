"""Fetch recommendations, or the order of given items, and count their sources, for all routes."""

import time
from json.encoder import encode_basestring
from typing import Any

from recsys.core.errors import InvalidInput
from recsys.core.serving.placed_request import ShownPlacement
from recsys.core.serving.request import ItemTarget, RecommendationRequest, Target, UserTarget
from recsys.rpc.item_json import item_fragment
from recsys.rpc.recommendation_id import new_recommendation_id
from recsys.rpc.v1 import ingest_pb2
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.runtime.deadline import Deadline
from services.gateway.dependencies import Dependencies
from services.gateway.schemas.problems import (
    NO_MODEL,
    OVERLOADED,
    TIMED_OUT,
    UNAVAILABLE,
    ProblemError,
    invalid_input,
    refuse_other_users,
)
from services.gateway.schemas.recommendations import SOURCES
from services.gateway.schemas.rerank import RerankRequest
from services.gateway.upstream.ingest import CallContext
from services.gateway.upstream.popular_snapshot import popular_answer, unordered_answer

# An answer is one user's and of this moment.
UNCACHED = "private, no-store"


def checked(tenant: str, target: Target, limit: int, **wishes: Any) -> RecommendationRequest:
    """A request for recommendations.

    Raises:
        ProblemError: naming every field at fault.
    """
    try:
        return RecommendationRequest(tenant, target, limit, **wishes)
    except InvalidInput as error:
        raise invalid_input(error.problems) from None


async def fetch_recommendations(
    dependencies: Dependencies,
    request: RecommendationRequest,
    request_id: str,
    placement: ShownPlacement | None = None,
) -> bytes:
    """Ask a recommender, or ingest for a shop without a model; return the body of the response.

    Args:
        placement: that which was asked for, if one was.

    Raises:
        ProblemError: see `Recommenders.ask` and `_fetch_cold_start`.
    """
    begun = time.perf_counter()
    try:
        answer = await dependencies.recommender.ask(request)
    except ProblemError as problem:
        if problem.kind is OVERLOADED:
            dependencies.metrics.shed["overloaded"].inc()
        # Without a model nobody knows which items a filter lets pass.
        if problem.kind is not NO_MODEL or request.filter:
            raise
        if request.reranked_item_ids:
            answer = unordered_answer(request, model_version=None)
        else:
            answer = await _fetch_cold_start(dependencies, request, problem, request_id)
    dependencies.metrics.answers[SOURCES[answer.source], answer.degraded].inc()
    if placement is None and not request.is_explained:
        return _whole_json(answer.json, request_id, request.target)
    took_ms = (time.perf_counter() - begun) * 1000
    named = b"" if placement is None else _placement_json(placement)
    json = b'%b,"recommendation_id":"%b"%b,"took_ms":%.3f' % (
        *(answer.json, new_recommendation_id().encode(), named, took_ms),
    )
    return _whole_json(json, request_id, request.target)


async def _fetch_cold_start(
    dependencies: Dependencies,
    request: RecommendationRequest,
    no_model: ProblemError,
    request_id: str,
) -> pb.RenderedAnswer:
    """Fetch popular items, then those of the catalogue, for a shop without a model.

    Raises:
        ProblemError: `no_model` when the ingest service cannot be asked.
    """
    target = request.target
    question = ingest_pb2.ColdStartItemsRequest(
        tenant=request.tenant,
        user_id=target.user_id if isinstance(target, UserTarget) else "",
        excluded_item_ids=(*target.item_ids, *request.withheld_item_ids),
        limit=request.limit,
    )
    call = CallContext(Deadline.after(dependencies.read_seconds), request_id)
    try:
        found = await dependencies.ingest.cold_start_items(question, call)
    except ProblemError as problem:
        if problem.kind in (UNAVAILABLE, TIMED_OUT):
            raise no_model from problem
        raise
    return popular_answer(map(_item, found.items), request, model_version=None)


def _item(item: ingest_pb2.ColdStartItem) -> bytes:
    title = item.title if item.HasField("title") else None
    price = item.price if item.HasField("price") else None
    return item_fragment(item.item_id, title, price) + b"null}"


def _placement_json(shown: ShownPlacement) -> bytes:
    """Fields of an answer, each behind a comma."""
    found = shown.experiment
    about = b"null"
    if found is not None:
        names = _string(found.experiment), _string(found.variant.name)
        about = b'{"name":%b,"variant":%b}' % names
    return b',"placement":%b,"experiment":%b' % (_string(shown.name), about)


def _whole_json(json: bytes, request_id: str, about: Target) -> bytes:
    """Close the JSON object that a recommender has left open."""
    return b'%b,"request_id":%b%b}' % (json, _string(request_id), _subject(about))


def _subject(about: Target) -> bytes:
    match about:
        case UserTarget():
            return b',"user_id":' + _string(about.user_id)
        case ItemTarget():
            return b',"item_id":' + _string(about.item_id)
    return b""


def _string(text: str) -> bytes:
    return encode_basestring(text).encode()


async def fetch_reranked(
    dependencies: Dependencies,
    tenant: str,
    wanted: RerankRequest,
    acting: str | None,
    request_id: str,
) -> bytes:
    """Ask for the order of the items; return the body of the response.

    Args:
        acting: the user whom alone the caller may act for; None: any.

    Raises:
        ProblemError: naming every field at fault; for another user than `acting`; or see
            `fetch_recommendations`.
    """
    refuse_other_users(acting, [wanted.user_id])
    request = checked(tenant, wanted.target(), 1, reranked_item_ids=tuple(wanted.item_ids))
    return await fetch_recommendations(dependencies, request, request_id)
