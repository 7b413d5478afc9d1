"""Snapshots of popular items from the recommenders: the fallback when none of them responds."""

from collections.abc import Iterable
from json.encoder import encode_basestring

from recsys.core.serving.lists import FallbackLevel, Source
from recsys.core.serving.request import RecommendationRequest
from recsys.rpc.item_json import reranked_json, with_reason, with_source
from recsys.rpc.v1 import recommender_pb2 as pb


class PopularSnapshots:
    """One snapshot a tenant, in memory."""

    def __init__(self) -> None:
        self._snapshots: dict[str, pb.Snapshot] = {}

    def take(self, snapshot: pb.Snapshot) -> None:
        self._snapshots[snapshot.tenant] = snapshot

    def knows(self, tenant: str) -> bool:
        """Tell whether the tenant has, or had, a model."""
        return tenant in self._snapshots

    def is_empty(self) -> bool:
        """Tell whether no tenant is known to have a model yet."""
        return not self._snapshots

    def answer(self, request: RecommendationRequest) -> pb.RenderedAnswer | None:
        """The first popular items, degraded; None where none is known of the tenant."""
        snapshot = self._snapshots.get(request.tenant)
        if snapshot is None:
            return None
        if request.reranked_item_ids:
            return unordered_answer(request, snapshot.model_version)
        excluded = (*request.target.item_ids, *request.withheld_item_ids)
        beginnings = tuple(b'{"item_id":%b,' % _json(item_id) for item_id in excluded)
        shown = [item for item in snapshot.popular_json if not item.startswith(beginnings)]
        return popular_answer(shown[: request.limit], request, snapshot.model_version)


def unordered_answer(
    request: RecommendationRequest, model_version: str | None
) -> pb.RenderedAnswer:
    """The items to be put in order as they came, where no recommender can order them."""
    given = dict.fromkeys(request.reranked_item_ids)
    json = reranked_json(given, (), model_version, degraded=True)
    return pb.RenderedAnswer(json=json, source=pb.SOURCE_POPULAR, degraded=True)


def popular_answer(
    items: Iterable[bytes], request: RecommendationRequest, model_version: str | None
) -> pb.RenderedAnswer:
    """The answer of popular items, each as JSON, where no recommender can give one."""
    popular = Source.POPULAR.value
    is_detailed = request.placement or request.is_explained
    if is_detailed:
        items = [with_source(item, popular) for item in items]
    if request.is_explained:
        items = [with_reason(item, popular, (), {}) for item in items]
    version = b"null" if model_version is None else b'"%b"' % model_version.encode()
    level = b',"fallback_level":%d,"relaxed":false,"rules":[]' % FallbackLevel.STOOD_IN
    about = level if is_detailed else b""
    if request.placement:
        # Nothing is left to go on with when a recommender is back.
        about += b',"next_page_token":""'
    return pb.RenderedAnswer(
        json=b'{"items":[%b],"source":"%b","model_version":%b,"degraded":true%b'
        % (b",".join(items), popular.encode(), version, about),
        source=pb.SOURCE_POPULAR,
        degraded=True,
    )


def _json(text: str) -> bytes:
    return encode_basestring(text).encode()
