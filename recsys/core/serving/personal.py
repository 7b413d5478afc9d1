"""The list of a user by the whole model: stored, folded in, of neighbours, or of given items.

It lasts until the user's behaviour or the model changes, so that it may be kept; what of it can be
shown at a moment is the pipeline's to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recsys.core.behaviour import StoredUser
from recsys.core.compiled_ranking import best_of
from recsys.core.model import History, ScoringParams
from recsys.core.ranking import Indices
from recsys.core.recency import faded
from recsys.core.scoring import Scores, hybrid
from recsys.core.serving.added import AddedItems
from recsys.core.serving.best_candidates import (
    MAX_NEIGHBOURS,
    Behaviour,
    ItemColumns,
    Scratch,
    best_by_all,
    best_by_neighbours,
)
from recsys.core.serving.lists import NO_LIST, PersonalList, Source
from recsys.core.serving.model import ServingModel
from recsys.core.user_factors import faded_history_factors


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
        personal = fold_in_list(model, ActiveUser.of(history, stored), n, scratch)
    return with_returned(model, personal, n)


def list_without_scoring(
    model: ServingModel, stored: StoredUser | None, history: History
) -> PersonalList | None:
    """The list of a user for whom no score must be calculated; None when one must."""
    if stored and history is stored.history and not model.is_filtered:
        return PersonalList(stored.items, stored.scores, Source.STORED, history)
    if model.can_score_by(history):
        return None
    return replace(NO_LIST, history=history)


@dataclass(frozen=True, slots=True)
class ActiveUser:
    """A user whose list must be calculated.

    Attributes:
        history: with a positive strength of an item that is known or foreseen.
        stored: item rows of the nightly list.
    """

    history: History
    stored: Indices

    @classmethod
    def of(cls, history: History, stored: StoredUser | None) -> "ActiveUser":
        return cls(history, NO_LIST.items if stored is None else stored.items)


def fold_in_list(model: ServingModel, user: ActiveUser, n: int, scratch: Scratch) -> PersonalList:
    """The best n items of a user by the whole model, of the candidates."""
    items, params = model.items, model.params
    history, seen = faded(user.history, params.step_half_life), model.known(user.history.items)
    vector = faded_history_factors(items, params, history, seen)
    rows, scores = best_by_all(
        ItemColumns.of(items),
        model.eligible,
        Behaviour.of(history, seen, user.stored),
        vector,
        np.float32(params.neighbour_weight),
        scratch.turn(len(model.shown)),
        MAX_NEIGHBOURS,
        n,
    )
    personal = PersonalList(rows, scores, Source.FOLD_IN, user.history)
    if not len(model.newcomers.rows):
        return personal
    return _with_added(model.newcomers, personal, history, vector, params, n)


def neighbour_list(model: ServingModel, user: ActiveUser, n: int, scratch: Scratch) -> PersonalList:
    """The best n neighbours of what a user had: what costs least and is still personal."""
    history = faded(user.history, model.params.step_half_life)
    rows, scores = best_by_neighbours(
        ItemColumns.of(model.items),
        model.eligible,
        Behaviour.of(history, model.known(history.items), user.stored),
        scratch.turn(len(model.shown)),
        MAX_NEIGHBOURS,
        n,
    )
    return PersonalList(rows, scores, Source.NEIGHBOURS, user.history)


def with_returned(model: ServingModel, personal: PersonalList, n: int) -> PersonalList:
    """Put items that are back into a list of at most n, where their scores belong."""
    returned, params = model.returned, model.params
    if not len(returned.rows) or not model.can_score_by(personal.history):
        return personal
    history = faded(personal.history, params.step_half_life)
    seen = model.known(history.items)
    vector = faded_history_factors(model.items, params, history, seen)
    return _with_added(returned, personal, history, vector, params, n)


def _with_added(
    added: AddedItems,
    personal: PersonalList,
    history: History,
    vector: NDArray[np.float32],
    params: ScoringParams,
    n: int,
) -> PersonalList:
    """Put items into a list of at most n, where their scores belong.

    Args:
        history: faded.
        vector: (k,) the factors of the user by this history.
    """
    scores = added.scores_for(vector, history, params.neighbour_weight)
    scores[np.isin(added.rows, history.items[history.excluded])] = -np.inf
    others = ~np.isin(personal.items, added.rows)
    rows = np.concatenate([personal.items[others], added.rows], dtype=np.int32)
    of_all = np.concatenate([personal.scores[others], scores])
    best, best_scores = best_of(rows, of_all, n)
    return replace(personal, items=best, scores=best_scores)


def reranked(model: ServingModel, history: History, rows: Sequence[int]) -> list[int]:
    """Order items that the caller has found, such as search results, by the user's scores.

    Best first, equal ones as they came.

    Nothing is left out: bought items and hidden ones have a score, too. For a user of whom nothing
    good is known the most popular come first.

    Args:
        rows: of items that are known or foreseen, none twice.
    """
    given = np.array(rows, np.int32)
    if rows and model.can_score_by(history):
        order = np.argsort(-_scores(model, history, given), kind="stable")
    else:
        ranks = np.append(model.items.popularity_rank, len(model.items.ids))
        order = np.argsort(ranks.take(given, mode="clip"), kind="stable")
    found: list[int] = given[order].tolist()
    return found


def _scores(model: ServingModel, history: History, rows: Indices) -> Scores:
    """The scores of `recsys.core.scoring` of these items, by the work that they take alone."""
    items, params = model.items, model.params
    history = faded(history, params.step_half_life)
    wanted, seen = model.known(rows), model.known(history.items)
    by_factors = wanted.own_factors() @ faded_history_factors(items, params, history, seen)
    order = np.argsort(rows)
    near = seen.neighbours.take(seen.places, axis=0).ravel()
    weights = seen.neighbour_scores.take(seen.places, axis=0) * history.strengths[:, np.newaxis]
    places = np.minimum(np.searchsorted(rows, near, sorter=order), len(rows) - 1)
    places = order[places]
    hits = rows[places] == near
    # Of no hits the sums would be whole numbers.
    sums = np.bincount(places[hits], weights.ravel()[hits], minlength=len(rows)).astype(np.float32)
    if rows.max() >= len(items.ids):
        added = model.newcomers
        of_newcomers = dict(
            zip(added.rows.tolist(), added.neighbour_sums(history).tolist(), strict=True)
        )
        sums += np.array([of_newcomers.get(row, 0.0) for row in rows.tolist()], np.float32)
    return hybrid(by_factors, sums, params.neighbour_weight, wanted.own_trend())
