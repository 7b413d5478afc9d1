"""The way from what is known to what is recommended, for every kind of request.

The generators of a placement are asked one after the other until there are enough items; what may
not be shown at this moment, what is excluded (bought, disliked, the items of the session, the item
itself) and what is there already is dropped. An answer is shorter when nothing else is left, and
empty for a user who has everything.
"""

from collections.abc import Iterable, Sequence

from recsys.core.behaviour import RecentEvent, StoredUser
from recsys.core.current_history import current_history
from recsys.core.model import History
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.generators import GENERATORS, Query
from recsys.core.serving.lists import NO_LIST, FallbackLevel, Ranked, Recommendations, Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import personal_list
from recsys.core.serving.request import FOR_ITEM, FOR_USER


def recommend(query: Query, generators: Iterable[str], limit: int) -> Recommendations:
    """Take up to `limit` items from generators, in their order."""
    ranked, from_first = _take(query, generators, limit)
    source = ranked[0].source if ranked else Source.POPULAR
    return Recommendations(tuple(ranked), source, _fallback_level(from_first, len(ranked)))


def recommend_for_user(
    model: ServingModel, stored: StoredUser | None, recent: Sequence[RecentEvent], limit: int
) -> Recommendations:
    """Recommend items to one user.

    Args:
        stored: None for a user the model does not know.
        recent: remembered events, in any order; those already in the model are passed over.
    """
    base = stored.history if stored else History.empty()
    history = current_history(model.items, model.params, base, recent)
    personal = personal_list(model, stored, history, limit, Scratch())
    return recommend(Query(model, personal), FOR_USER, limit)


def similar_items(model: ServingModel, item_index: int | None, limit: int) -> Recommendations:
    """Recommend items alike to one item, or popular ones when the model does not know it (None)."""
    return recommend(Query(model, NO_LIST, item_index), FOR_ITEM, limit)


def _fallback_level(from_first: int, count: int) -> FallbackLevel:
    if not from_first:
        return FallbackLevel.REPLACED
    return FallbackLevel.NONE if from_first == count else FallbackLevel.FILLED


def _take(query: Query, generators: Iterable[str], limit: int) -> tuple[list[Ranked], int]:
    """Take up to `limit` items; also count those of the first generator."""
    history, shown = query.personal.history, query.model.shown_bytes
    taken = {*query.excluded, *query.session, *history.items[history.excluded].tolist()}
    if query.seed is not None:
        taken.add(query.seed)
    ranked = list[Ranked]()
    from_first = None
    for name in generators:
        for entry in GENERATORS[name](query):
            row = entry.item_index
            if shown[row] and row not in taken:
                taken.add(row)
                ranked.append(entry)
                if len(ranked) == limit:
                    return ranked, limit if from_first is None else from_first
        if from_first is None:
            from_first = len(ranked)
    return ranked, from_first or 0
