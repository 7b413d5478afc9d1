"""The answer for a shop without a model: what the ingest service knows of it."""

import json

from recsys.rpc.v1 import ingest_pb2
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.runtime.deadline import Deadline
from services.gateway.backends import CallContext
from services.gateway.dependencies import Dependencies
from services.gateway.pending_request import Target, UserTarget
from services.gateway.problems import TIMED_OUT, UNAVAILABLE, ProblemError


async def cold_start_answer(
    parts: Dependencies,
    tenant: str,
    about: Target,
    limit: int,
    no_model: ProblemError,
    request_id: str,
) -> pb.RenderedAnswer:
    """Popular items, then those of the catalogue; none where nothing is known of the shop.

    Raises:
        ProblemError: `no_model` when the ingest service cannot be asked.
    """
    request = ingest_pb2.ColdStartItemsRequest(
        tenant=tenant,
        user_id=about.user_id if isinstance(about, UserTarget) else "",
        excluded_item_ids=about.item_ids,
        limit=limit,
    )
    call = CallContext(Deadline.after(parts.read_seconds), request_id)
    try:
        found = await parts.ingest.cold_start_items(request, call)
    except ProblemError as problem:
        if problem.kind in (UNAVAILABLE, TIMED_OUT):
            raise no_model from problem
        raise
    return pb.RenderedAnswer(
        json=b'{"items":[%b],"source":"popular","model_version":null,"degraded":true'
        % b",".join(map(_item, found.items)),
        source=pb.SOURCE_POPULAR,
        degraded=True,
    )


def _item(item: ingest_pb2.ColdStartItem) -> bytes:
    title = item.title if item.HasField("title") else None
    members = {"item_id": item.item_id, "title": title, "score": None}
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
