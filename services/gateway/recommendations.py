"""Fetch recommendations for a request and count where they come from, for every route alike."""

from json.encoder import encode_basestring

from recsys.core.serving.lists import Source
from recsys.core.serving.request import ItemTarget, RecommendationRequest, Target, UserTarget
from recsys.rpc.item_json import item_fragment, with_source
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
)
from services.gateway.schemas.recommendations import SOURCES
from services.gateway.upstream.ingest import CallContext


async def fetch_recommendations(
    dependencies: Dependencies,
    request: RecommendationRequest,
    request_id: str,
    placement: str | None = None,
) -> bytes:
    """Ask a recommender, or ingest for a shop without a model; return the body of the response.

    Args:
        placement: its name, where it was asked for by one.

    Raises:
        ProblemError: see `Recommenders.ask` and `_fetch_cold_start`.
    """
    try:
        answer = await dependencies.recommender.ask(request)
    except ProblemError as problem:
        if problem.kind is OVERLOADED:
            dependencies.metrics.shed["overloaded"].inc()
        # Without a model nobody knows which items a filter lets pass.
        if problem.kind is not NO_MODEL or request.filter:
            raise
        answer = await _fetch_cold_start(dependencies, request, problem, request_id)
    dependencies.metrics.answers[SOURCES[answer.source], answer.degraded].inc()
    return _whole_json(answer, request_id, request.target, placement)


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
        excluded_item_ids=(*target.item_ids, *request.excluded_item_ids),
        limit=request.limit,
    )
    call = CallContext(Deadline.after(dependencies.read_seconds), request_id)
    try:
        found = await dependencies.ingest.cold_start_items(question, call)
    except ProblemError as problem:
        if problem.kind in (UNAVAILABLE, TIMED_OUT):
            raise no_model from problem
        raise
    return pb.RenderedAnswer(
        json=b'{"items":[%b],"source":"popular","model_version":null,"degraded":true'
        % b",".join(_item(item, request) for item in found.items),
        source=pb.SOURCE_POPULAR,
        degraded=True,
    )


def _item(item: ingest_pb2.ColdStartItem, request: RecommendationRequest) -> bytes:
    title = item.title if item.HasField("title") else None
    price = item.price if item.HasField("price") else None
    written = item_fragment(item.item_id, title, price) + b"null}"
    return with_source(written, Source.POPULAR.value) if request.placement else written


def _whole_json(
    answer: pb.RenderedAnswer, request_id: str, about: Target, placement: str | None
) -> bytes:
    """Close the JSON object that a recommender has left open."""
    name = b"" if placement is None else b',"placement":' + _string(placement)
    return b'%b,"request_id":%b%b%b}' % (answer.json, _string(request_id), name, _subject(about))


def _subject(about: Target) -> bytes:
    match about:
        case UserTarget():
            return b',"user_id":' + _string(about.user_id)
        case ItemTarget():
            return b',"item_id":' + _string(about.item_id)
    return b""


def _string(text: str) -> bytes:
    return encode_basestring(text).encode()
