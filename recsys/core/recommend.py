"""The answers of the shop: for a user, and for an item. Never empty while an item is eligible.

Each step fills what the one before left open: the personal list, then popular items the user has
not had, then popular items again. `source` names the first one that gave anything.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from recsys.core.confidence import decay
from recsys.core.model import NO_NEIGHBOUR, History, ItemSide, Recipe
from recsys.core.ranking import Indices, top_n
from recsys.core.scoring import Scores, score_users
from recsys.core.user_factors import history_factors


class Source(Enum):
    """Where the items of an answer come from."""

    STORED = "stored"
    FOLD_IN = "fold_in"
    NEIGHBOURS = "neighbours"
    POPULAR = "popular"


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """An event since the last training, as serving remembers it. Times in UTC milliseconds."""

    item_id: str
    event_type: str
    timestamp_ms: int
    received_ms: int


@dataclass(frozen=True)
class StoredUser:
    """What the nightly job left for one user: the list (best first) and the history behind it."""

    items: Indices
    scores: Scores
    history: History


@dataclass(frozen=True, slots=True)
class Ranked:
    """One recommended item; `score` is None where it only fills the list up."""

    item_index: int
    score: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """Recommended items, best first, and where they come from."""

    ranked: tuple[Ranked, ...]
    source: Source


def recommend_for_user(
    items: ItemSide,
    recipe: Recipe,
    stored: StoredUser | None,
    recent: Sequence[RecentEvent],
    hidden: Collection[int],
    limit: int,
) -> Answer:
    """Recommend up to `limit` items to one user.

    Args:
        stored: None for a user the model does not know.
        recent: remembered events, in any order; those already in the model are passed over.
        hidden: item rows that must not be shown now (sold out, deleted).
    """
    history = stored.history if stored else History.empty()
    fresh = [event for event in recent if _is_after_training(event, recipe)]
    current = _with_recent(history, fresh, items, recipe)
    excluded = set(current.items[current.excluded].tolist()) | set(hidden)
    if stored and current is history:
        personal = zip(stored.items.tolist(), stored.scores.tolist(), strict=True)
        return _answer(personal, Source.STORED, items, excluded, hidden, limit)
    if not (current.strengths > 0).any():
        return _answer((), Source.POPULAR, items, excluded, hidden, limit)
    best = _fold_in_list(items, recipe, current, limit + len(hidden))
    return _answer(best, Source.FOLD_IN, items, excluded, hidden, limit)


def similar_items(
    items: ItemSide, item_index: int | None, hidden: Collection[int], limit: int
) -> Answer:
    """Items alike to one item, or popular ones when the model does not know it (None)."""
    if item_index is None:
        return _answer((), Source.POPULAR, items, set(hidden), hidden, limit)
    neighbours = items.neighbours[item_index]
    known = neighbours != NO_NEIGHBOUR
    scores = items.neighbour_scores[item_index][known].tolist()
    pairs = zip(neighbours[known].tolist(), scores, strict=True)
    excluded = {item_index, *hidden}
    return _answer(pairs, Source.NEIGHBOURS, items, excluded, excluded, limit)


def _is_after_training(event: RecentEvent, recipe: Recipe) -> bool:
    return event.received_ms >= recipe.read_at_ms or event.timestamp_ms >= recipe.end_ms


def _with_recent(
    history: History, recent: Sequence[RecentEvent], items: ItemSide, recipe: Recipe
) -> History:
    """The history with recent events added; the very same object when none of them matters."""
    strength = dict(zip(history.items.tolist(), history.strengths.tolist(), strict=True))
    excluded = set(history.items[history.excluded].tolist())
    changed = False
    for event in recent:
        item_index = items.ids.index_of(event.item_id)
        kind = recipe.event_types.get(event.event_type)
        if item_index is None or kind is None or (kind.weight == 0 and not kind.excludes):
            continue
        changed = True
        weight = kind.weight * float(
            decay(recipe.as_of_ms - event.timestamp_ms, recipe.half_life_days)
        )
        strength[item_index] = strength.get(item_index, 0.0) + weight
        if kind.excludes:
            excluded.add(item_index)
    if not changed:
        return history
    rows = np.fromiter(strength, np.int32, len(strength))
    values = np.maximum(np.fromiter(strength.values(), np.float32, len(strength)), 0.0)
    return History(rows, values, np.isin(rows, list(excluded)))


def _fold_in_list(
    items: ItemSide, recipe: Recipe, history: History, n: int
) -> Iterable[tuple[int, float]]:
    factors = history_factors(items, recipe, history)
    scores = score_users(factors[np.newaxis, :], items, [history], recipe.neighbour_weight)[0]
    best = top_n(scores, n)
    return zip(best.tolist(), scores[best].tolist(), strict=True)


def _answer(
    personal: Iterable[tuple[int, float]],
    source: Source,
    items: ItemSide,
    excluded: Collection[int],
    hidden: Collection[int],
    limit: int,
) -> Answer:
    """The personal list less what is excluded, filled up with popular items to `limit`."""
    ranked = [Ranked(i, score) for i, score in personal if i not in excluded][:limit]
    source = source if ranked else Source.POPULAR
    for never in (excluded, hidden):
        taken = {entry.item_index for entry in ranked}
        fill = _popular(items, taken | set(never), limit - len(ranked))
        ranked.extend(Ranked(item_index, None) for item_index in fill)
    return Answer(tuple(ranked), source)


def _popular(items: ItemSide, never: Collection[int], n: int) -> list[int]:
    found: list[int] = []
    for item_index in items.popular.tolist() if n > 0 else ():
        if items.eligible[item_index] and item_index not in never:
            found.append(item_index)
            if len(found) == n:
                break
    return found
