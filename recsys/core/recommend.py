"""The answers of the shop: for a user, and for an item.

An answer takes two steps, so that the first may be kept: the list of a user, which lasts until
their behaviour or the model changes, and what of it can be shown at this moment. The second fills
with popular items what the list leaves open. What is excluded (bought, disliked, the items of the
session, the item itself) is in neither: an answer is shorter when nothing else is left, and empty
for a user who has everything. `source` names the first step that gave anything.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice, pairwise
from typing import NamedTuple

import numpy as np

from recsys.core.behaviour import RecentEvent, StoredUser, current_history
from recsys.core.model import NO_NEIGHBOUR, History, ItemModel, ScoringParams
from recsys.core.ranking import Indices, top_n_of_rows
from recsys.core.recency import FadedHistories, faded
from recsys.core.scoring import Scores, hybrid
from recsys.core.serving.candidates import Candidates, EligibleItems, Scratch, candidates
from recsys.core.serving.returned import ReturnedItems
from recsys.core.user_factors import faded_history_factors, history_factors

# Of the users who are calculated together: with 200 neighbours an item the arrays of such a batch
# take some 50 MB.
_MAX_HISTORY_ITEMS = 4096


class Source(Enum):
    """Origin of recommended items."""

    STORED = "stored"
    FOLD_IN = "fold_in"
    NEIGHBOURS = "neighbours"
    POPULAR = "popular"


@dataclass(frozen=True)
class PersonalList:
    """A user's list by the model alone, before items that may not be shown now are dropped.

    Attributes:
        items: item rows, best first.
        scores: one for each.
        history: what the list is based on; its excluded items are never shown.
    """

    items: Indices
    scores: Scores
    source: Source
    history: History


# That of a user of whom nothing is known: answers are what is popular.
NO_LIST = PersonalList(
    np.empty(0, np.int32), np.empty(0, np.float32), Source.POPULAR, History.empty()
)


class Ranked(NamedTuple):
    """One recommended item; `score` is None where it only fills the list up."""

    item_index: int
    score: float | None


@dataclass(frozen=True, slots=True)
class Recommendations:
    """Recommended items, best first, and where they come from."""

    ranked: tuple[Ranked, ...]
    source: Source


def recommend_for_user(
    items: ItemModel,
    params: ScoringParams,
    stored: StoredUser | None,
    recent: Sequence[RecentEvent],
    hidden: Collection[int],
    limit: int,
) -> Recommendations:
    """Recommend up to `limit` items to one user.

    Args:
        stored: None for a user the model does not know.
        recent: remembered events, in any order; those already in the model are passed over.
        hidden: item rows that must not be shown now (sold out, deleted).
    """
    base = stored.history if stored else History.empty()
    history = current_history(items, params, base, recent)
    personal = list_without_scoring(stored, history)
    if personal is None:
        eligible = EligibleItems.of(items, hidden)
        user = ActiveUser.of(history, stored)
        [personal] = fold_in_lists(items, params, [user], eligible, limit, Scratch())
    return apply_filters(personal, items, hidden, limit)


def list_without_scoring(stored: StoredUser | None, history: History) -> PersonalList | None:
    """The list of a user for whom no score must be calculated; None when one must.

    Args:
        history: that of `stored` itself when nothing happened since.
    """
    if stored and history is stored.history:
        return PersonalList(stored.items, stored.scores, Source.STORED, history)
    if (history.strengths > 0).any():
        return None
    return replace(NO_LIST, history=history)


@dataclass(frozen=True, slots=True)
class ActiveUser:
    """A user whose list must be calculated.

    Attributes:
        history: with a positive strength.
        stored: item rows of the nightly list.
    """

    history: History
    stored: Indices

    @classmethod
    def of(cls, history: History, stored: StoredUser | None) -> "ActiveUser":
        return cls(history, NO_LIST.items if stored is None else stored.items)


def fold_in_lists(
    items: ItemModel,
    params: ScoringParams,
    users: Sequence[ActiveUser],
    eligible: EligibleItems,
    n: int,
    scratch: Scratch,
) -> list[PersonalList]:
    """The best n items of users by the whole model, of their candidates."""
    return [
        found
        for batch in _batches(users)
        for found in _fold_in_batch(items, params, batch, eligible, n, scratch)
    ]


def _batches(users: Sequence[ActiveUser]) -> Iterator[list[ActiveUser]]:
    """Users in order, together while their histories are short."""
    batch, length = list[ActiveUser](), 0
    for user in users:
        length += len(user.history.items)
        if batch and length > _MAX_HISTORY_ITEMS:
            yield batch
            batch, length = [], len(user.history.items)
        batch.append(user)
    if batch:
        yield batch


def _fold_in_batch(
    items: ItemModel,
    params: ScoringParams,
    users: Sequence[ActiveUser],
    eligible: EligibleItems,
    n: int,
    scratch: Scratch,
) -> list[PersonalList]:
    histories = FadedHistories.of([user.history for user in users], params.step_half_life)
    found = candidates(items, eligible, histories, [user.stored for user in users], scratch)
    factors = faded_history_factors(items, params, histories)
    by_factors = np.empty(len(found.rows), np.float32)
    for vector, (start, stop) in zip(factors, pairwise(found.bounds.tolist()), strict=True):
        by_factors[start:stop] = items.factors.take(found.rows[start:stop], axis=0) @ vector
    weight, trend = params.neighbour_weight, items.trend.take(found.rows)
    popular = hybrid(
        factors @ eligible.popular_factors.T, found.popular_sums, weight, eligible.popular_trend
    )
    others = hybrid(by_factors, found.sums, weight, trend)
    return _best(users, eligible, found, popular, others, Source.FOLD_IN, n)


def neighbour_list(
    items: ItemModel,
    params: ScoringParams,
    user: ActiveUser,
    eligible: EligibleItems,
    n: int,
    scratch: Scratch,
) -> PersonalList:
    """The best n neighbours of what a user had: what costs least and is still personal."""
    histories = FadedHistories.of([user.history], params.step_half_life)
    found = candidates(items, eligible, histories, [user.stored], scratch)
    popular = found.popular_sums * eligible.popular_trend
    popular[popular <= 0] = -np.inf
    others = found.sums * items.trend.take(found.rows)
    others[others <= 0] = -np.inf
    [best] = _best([user], eligible, found, popular, others, Source.NEIGHBOURS, n)
    return best


def _best(
    users: Sequence[ActiveUser],
    eligible: EligibleItems,
    found: Candidates,
    popular: Scores,
    others: Scores,
    source: Source,
    n: int,
) -> list[PersonalList]:
    """The best n candidates of each user, by the scores of the popular ones and of the others."""
    popular[found.barred] = -np.inf
    lengths, p = np.diff(found.bounds), popular.shape[1]
    # A row a user, as wide as the longest.
    scores = np.full((len(users), p + lengths.max(initial=0)), -np.inf, np.float32)
    rows = np.zeros(scores.shape, np.intp)
    scores[:, :p], rows[:, :p] = popular, eligible.popular
    filled = np.arange(scores.shape[1] - p) < lengths[:, np.newaxis]
    scores[:, p:][filled], rows[:, p:][filled] = others, found.rows
    return [
        PersonalList(*best, source, user.history)
        for user, best in zip(users, top_n_of_rows(rows, scores, n), strict=True)
    ]


def with_returned(
    personal: PersonalList,
    items: ItemModel,
    params: ScoringParams,
    returned: ReturnedItems,
    n: int,
) -> PersonalList:
    """Put items that are back into a list of at most n, where their scores belong."""
    history = faded(personal.history, params.step_half_life)
    if not (history.strengths > 0).any():
        return personal
    by_factors = returned.factors @ history_factors(items, params, personal.history)
    sums = returned.neighbour_sums(history)
    scores = hybrid(by_factors, sums, params.neighbour_weight, returned.trend)
    seen = personal.history.items[personal.history.excluded]
    scores[np.isin(returned.rows, seen)] = -np.inf
    others = ~np.isin(personal.items, returned.rows)
    rows = np.concatenate([personal.items[others], returned.rows])
    of_all = np.concatenate([personal.scores[others], scores])
    [(best, best_scores)] = top_n_of_rows(rows[np.newaxis], of_all[np.newaxis], n)
    return replace(personal, items=best, scores=best_scores)


def similar_items(
    items: ItemModel,
    item_index: int | None,
    hidden: Collection[int],
    limit: int,
    returned: ReturnedItems | None = None,
) -> Recommendations:
    """Items alike to one item, or popular ones when the model does not know it (None).

    Args:
        returned: items that are back and in no list of neighbours yet.
    """
    if item_index is None:
        return _fill_with_popular((), Source.POPULAR, items, (), hidden, limit)
    neighbours = items.neighbours[item_index]
    known = neighbours != NO_NEIGHBOUR
    scores = items.neighbour_scores[item_index][known].tolist()
    pairs = list(zip(neighbours[known].tolist(), scores, strict=True))
    if returned is not None and (back := returned.alike_to(item_index)):
        pairs = sorted(pairs + back, key=lambda pair: -pair[1])
    return _fill_with_popular(pairs, Source.NEIGHBOURS, items, {item_index}, hidden, limit)


def apply_filters(
    personal: PersonalList, items: ItemModel, hidden: Collection[int], limit: int
) -> Recommendations:
    """Drop what must not be shown from a list, then fill it to `limit` with popular items."""
    excluded = set(personal.history.items[personal.history.excluded].tolist())
    pairs = zip(personal.items.tolist(), personal.scores.tolist(), strict=True)
    return _fill_with_popular(pairs, personal.source, items, excluded, hidden, limit)


def _fill_with_popular(
    personal: Iterable[tuple[int, float]],
    source: Source,
    items: ItemModel,
    excluded: Collection[int],
    hidden: Collection[int],
    limit: int,
) -> Recommendations:
    """Drop excluded items from the personal list, then fill it to `limit` with popular ones."""
    shown = (
        Ranked(item_index, score)
        for item_index, score in personal
        if item_index not in excluded and item_index not in hidden
    )
    ranked = list(islice(shown, limit))
    source = source if ranked else Source.POPULAR
    if len(ranked) < limit:
        taken = {entry.item_index for entry in ranked}
        fill = _popular(items, taken.union(excluded), hidden, limit - len(ranked))
        ranked.extend(Ranked(item_index, None) for item_index in fill)
    return Recommendations(tuple(ranked), source)


def _popular(
    items: ItemModel, excluded: Collection[int], hidden: Collection[int], n: int
) -> list[int]:
    allowed = (
        item_index
        for item_index in _in_pieces(items.popular)
        if items.eligible[item_index] and item_index not in excluded and item_index not in hidden
    )
    return list(islice(allowed, n))


def _in_pieces(rows: Indices, length: int = 256) -> Iterator[int]:
    """One by one, without turning all of a large catalogue into Python's numbers."""
    for start in range(0, len(rows), length):
        yield from rows[start : start + length].tolist()
