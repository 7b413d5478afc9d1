"""Answers as JSON, joined from fragments that are written once a version.

The object stays open at its end: the gateway adds what only it knows and closes it.
"""

from functools import lru_cache

from recsys.core.serving.lists import Ranked, Recommendations, Source
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
    items = b",".join(_with_sources(answer, model) if with_sources else render_items(answer, model))
    tail = _TAILS[answer.source], model.version.encode(), _DEGRADED[degraded]
    return Rendering(b'{"items":[%b%b%b%b' % (items, *tail), answer.source)


def render_items(answer: Recommendations, model: LoadedModel) -> list[bytes]:
    """Each item as a JSON object."""
    return [b"%b%b}" % (_item(entry, model)) for entry in answer.ranked]


def _with_sources(answer: Recommendations, model: LoadedModel) -> list[bytes]:
    return [
        b'%b%b,"source":"%b"}' % (*_item(entry, model), entry.source.value.encode())
        for entry in answer.ranked
    ]


def _item(entry: Ranked, model: LoadedModel) -> tuple[bytes, bytes]:
    return model.shown.fragment_of(entry.item_index), _score(entry.score)


# Stored scores have half precision, so the same ones come again and again: 1,024 of each power of
# two. Others, of which there is no end, fill this up: 2 MiB.
@lru_cache(maxsize=8_192)
def _score(score: float | None) -> bytes:
    """With the digits that single precision has; more would only cost bytes."""
    return b"null" if score is None else f"{score:.7g}".encode()
