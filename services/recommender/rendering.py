"""Answers as JSON, joined from fragments that are written once a version.

The object stays open at its end: the gateway adds what only it knows and closes it.
"""

from functools import lru_cache

from recsys.core.serving.lists import Ranked, Recommendations, Source
from recsys.rpc.item_json import with_source
from services.recommender.model.answer_cache import Rendering
from services.recommender.model.loaded_model import LoadedModel

_TAILS = {source: f'],"source":"{source.value}","model_version":"'.encode() for source in Source}
_DEGRADED = {
    False: b'","degraded":false',
    True: b'","degraded":true',
}


def render(
    answer: Recommendations, model: LoadedModel, *, degraded: bool, with_sources: bool = False
) -> Rendering:
    """Write an answer.

    Args:
        with_sources: whether each item says where it comes from, for answers of several generators.
    """
    items = render_items(answer, model)
    if with_sources:
        sources = (entry.source.value for entry in answer.ranked)
        items = list(map(with_source, items, sources))
    tail = _TAILS[answer.source], model.version.encode(), _DEGRADED[degraded]
    return Rendering(b'{"items":[%b%b%b%b' % (b",".join(items), *tail), answer.source)


def render_items(answer: Recommendations, model: LoadedModel) -> list[bytes]:
    """Each item as a JSON object."""
    return [_item(entry, model) for entry in answer.ranked]


def _item(entry: Ranked, model: LoadedModel) -> bytes:
    return model.shown.fragment_of(entry.item_index) + _score(entry.score)


# Stored scores have half precision, so the same ones come again and again: 1,024 of each power of
# two. Others, of which there is no end, fill this up: 2 MiB.
@lru_cache(maxsize=8_192)
def _score(score: float | None) -> bytes:
    """With the digits that single precision has; more would only cost bytes."""
    return b"null}" if score is None else f"{score:.7g}}}".encode()
