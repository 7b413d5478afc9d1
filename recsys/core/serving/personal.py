"""The list of a user by the whole model: stored, folded in, or of neighbours alone.

It lasts until the user's behaviour or the model changes, so that it may be kept; what of it can be
shown at a moment is the pipeline's to say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from recsys.core.behaviour import StoredUser
from recsys.core.model import History
from recsys.core.ranking import Indices, top_n_of_rows
from recsys.core.recency import FadedHistories, faded
from recsys.core.scoring import Scores, hybrid
from recsys.core.serving.candidates import Candidates, EligibleItems, Scratch, candidates
from recsys.core.serving.lists import NO_LIST, PersonalList, Source
from recsys.core.serving.model import ServingModel
from recsys.core.user_factors import faded_history_factors, history_factors

# Of the users who are calculated together: with 200 neighbours an item the arrays of such a batch
# take some 50 MB.
_MAX_HISTORY_ITEMS = 4096


def personal_list(
    model: ServingModel, stored: StoredUser | None, history: History, n: int, scratch: Scratch
) -> PersonalList:
    """A user's best n items, of whatever is known of them.

    Args:
        stored: None for a user the model does not know.
        history: up to this moment; that of `stored` itself when nothing happened since.
    """
    personal = list_without_scoring(model, stored, history)
    if personal is None:
        [personal] = fold_in_lists(model, [ActiveUser.of(history, stored)], n, scratch)
    return with_returned(model, personal, n)


def list_without_scoring(
    model: ServingModel, stored: StoredUser | None, history: History
) -> PersonalList | None:
    """The list of a user for whom no score must be calculated; None when one must."""
    if stored and history is stored.history and not model.is_filtered:
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
    model: ServingModel, users: Sequence[ActiveUser], n: int, scratch: Scratch
) -> list[PersonalList]:
    """The best n items of users by the whole model, of their candidates."""
    return [
        found for batch in _batches(users) for found in _fold_in_batch(model, batch, n, scratch)
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
    model: ServingModel, users: Sequence[ActiveUser], n: int, scratch: Scratch
) -> list[PersonalList]:
    items, params, eligible = model.items, model.params, model.eligible
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


def neighbour_list(model: ServingModel, user: ActiveUser, n: int, scratch: Scratch) -> PersonalList:
    """The best n neighbours of what a user had: what costs least and is still personal."""
    items, eligible = model.items, model.eligible
    histories = FadedHistories.of([user.history], model.params.step_half_life)
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


def with_returned(model: ServingModel, personal: PersonalList, n: int) -> PersonalList:
    """Put items that are back into a list of at most n, where their scores belong."""
    returned, params = model.returned, model.params
    if not len(returned.rows):
        return personal
    history = faded(personal.history, params.step_half_life)
    if not (history.strengths > 0).any():
        return personal
    by_factors = returned.factors @ history_factors(model.items, params, personal.history)
    sums = returned.neighbour_sums(history)
    scores = hybrid(by_factors, sums, params.neighbour_weight, returned.trend)
    seen = personal.history.items[personal.history.excluded]
    scores[np.isin(returned.rows, seen)] = -np.inf
    others = ~np.isin(personal.items, returned.rows)
    rows = np.concatenate([personal.items[others], returned.rows])
    of_all = np.concatenate([personal.scores[others], scores])
    [(best, best_scores)] = top_n_of_rows(rows[np.newaxis], of_all[np.newaxis], n)
    return replace(personal, items=best, scores=best_scores)
