"""The way from what is known to what is recommended, for every kind of request.

The generators of a placement are asked one after the other until there are enough items; what may
not be shown at this moment, what is excluded (bought, disliked, the items of the session, the item
itself) and what is there already is dropped; only what is due to be bought again may have been
bought. An answer is shorter when nothing else is left, and
empty for a user who has everything.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from recsys.core.behaviour import RecentEvent, StoredUser
from recsys.core.current_history import current_history
from recsys.core.model import History
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.controls import Controls
from recsys.core.serving.generators import GENERATORS, OFFER_BOUGHT_ITEMS, Query
from recsys.core.serving.lists import (
    NO_LIST,
    PinnedItem,
    Ranked,
    Recommendations,
    Source,
    fallback_level,
)
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import personal_list
from recsys.core.serving.reasons import with_reasons
from recsys.core.serving.request import FOR_ITEM, FOR_USER
from recsys.core.serving.rerank import rerank, with_weights


def recommend(
    query: Query, generators: Iterable[str], limit: int, controls: Controls | None = None
) -> Recommendations:
    """Take up to `limit` items from generators, in their order, or as controls say."""
    if controls is None:
        return _first(query, generators, limit)
    if controls.is_about_order:
        answer = _reranked(query, tuple(generators), limit, controls)
    else:
        answer = _first(query, generators, limit)
        answer = answer._replace(rules=controls.rules_of_exclusions)
    if controls.explain:
        answer = with_reasons(query, answer)
    return with_weights(answer)


def recommend_for_user(
    model: ServingModel, stored: StoredUser | None, recent: Sequence[RecentEvent], limit: int
) -> Recommendations:
    """Recommend items to one user.

    Args:
        stored: None for a user the model does not know.
        recent: remembered events, in any order; those already in the model are passed over.
    """
    base = stored.history if stored else History.empty()
    history = current_history(model.items.ids.index_of, model.params, base, recent)
    personal = personal_list(model, stored, history, limit, Scratch())
    return recommend(Query(model, personal), FOR_USER, limit)


def similar_items(model: ServingModel, item_index: int | None, limit: int) -> Recommendations:
    """Recommend items alike to one item, or popular ones when the model does not know it (None)."""
    return recommend(Query(model, NO_LIST, item_index), FOR_ITEM, limit)


def _first(query: Query, generators: Iterable[str], limit: int) -> Recommendations:
    """The first items of the generators."""
    ranked, from_first = _take(query, generators, limit)
    source = ranked[0].source if ranked else Source.POPULAR
    return Recommendations(tuple(ranked), source, fallback_level(from_first, len(ranked)))


def _reranked(
    query: Query, generators: Sequence[str], limit: int, controls: Controls
) -> Recommendations:
    pinned = list[PinnedItem]()
    if query.pinned:
        withheld, shown = _withheld(query), query.model.shown_bytes
        pinned = [pin for pin in query.pinned if shown[pin.row] and pin.row not in withheld]
    return rerank(query, partial(_take, query, generators), limit, controls, pinned)


def _withheld(query: Query) -> set[int]:
    """Rows that must not be recommended: what is excluded, and the item that it is about."""
    history = query.personal.history
    return _named(query) | set(history.items[history.excluded].tolist())


def _named(query: Query) -> set[int]:
    """Rows that the request excludes, and those of the items that it is about."""
    named = {*query.excluded, *query.session}
    if query.seed is not None:
        named.add(query.seed)
    return named


def _take(query: Query, generators: Iterable[str], limit: int) -> tuple[list[Ranked], int]:
    """Take up to `limit` items; also count those of the first generator."""
    taken, shown = _withheld(query), query.model.shown_bytes
    ranked = list[Ranked]()
    from_first = None
    for name in generators:
        withheld = taken
        if name in OFFER_BOUGHT_ITEMS:
            withheld = _named(query).union(entry.item_index for entry in ranked)
        for entry in GENERATORS[name](query):
            row = entry[0]
            if shown[row] and row not in withheld:
                taken.add(row)
                ranked.append(entry)
                if len(ranked) == limit:
                    return ranked, limit if from_first is None else from_first
        if from_first is None:
            from_first = len(ranked)
    return ranked, from_first or 0
