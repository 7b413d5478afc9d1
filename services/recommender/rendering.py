"""Answers as JSON, joined from fragments that are written once a version.

The object stays open at its end: the gateway adds what only it knows and closes it.
"""

from functools import lru_cache
from json.encoder import encode_basestring

from recsys.core.serving.lists import Ranked, Recommendations, Source
from recsys.rpc.item_json import reranked_json, seed_json, with_reason, with_relaxed, with_source
from services.recommender.model.answer_cache import Rendering
from services.recommender.model.serving import LoadedModel

_TAILS = {source: f'],"source":"{source.value}","model_version":"'.encode() for source in Source}
_DEGRADED = {
    False: b'","degraded":false',
    True: b'","degraded":true',
}


def render(answer: Recommendations, model: LoadedModel, *, degraded: bool) -> Rendering:
    """Write an answer."""
    return _joined(answer, render_items(answer, model), model, degraded)


def render_in_detail(answer: Recommendations, model: LoadedModel, *, degraded: bool) -> Rendering:
    """Write an answer whose items say where they come from and, where they have reasons, why."""
    sources = (entry.source.value for entry in answer.ranked)
    items = list(map(with_source, render_items(answer, model), sources))
    if answer.reasons:
        rows = {row for reason in answer.reasons for row in reason.seeds}
        seeds = {row: seed_json(model.shown.fragment_of(row)) for row in rows}
        items = [
            with_reason(item, reason.code, [seeds[row] for row in reason.seeds], reason.score_parts)
            for item, reason in zip(items, answer.reasons, strict=True)
        ]
    if answer.passing is not None:
        items[answer.passing :] = map(with_relaxed, items[answer.passing :])
    written = _joined(answer, items, model, degraded)
    about = b',"fallback_level":%d,"relaxed":%b,"rules":[%b]' % (
        answer.fallback_level,
        b"true" if answer.is_relaxed else b"false",
        ",".join(map(encode_basestring, answer.rules)).encode(),
    )
    return written._replace(json=written.json + about)


def render_reranked(
    order: tuple[list[str], list[str]], model: LoadedModel, degraded: bool
) -> Rendering:
    """Write items in a user's order, and those of them that the model does not know."""
    json = reranked_json(*order, model.version, degraded=degraded)
    return Rendering(json, Source.FOLD_IN)


def _joined(
    answer: Recommendations, items: list[bytes], model: LoadedModel, degraded: bool
) -> Rendering:
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
