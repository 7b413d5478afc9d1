"""Metrics of items without behaviour before the split.

Only these items are ranked, for users who had behaviour before and wanted one of them after: among
all items they are too few, and too new to be popular, for a metric over everything to show them.
Beside the model stand two rankings that know nothing of the user; a built model is also judged by
the scores that such items have on their arrival.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recsys.core.recency import faded
from recsys.core.scoring import Scores, score_users
from recsys.core.serving.added import MAX_ADDED, AddedItems, foreseen
from recsys.evaluation.held_out import TestSet
from recsys.evaluation.ranked_lists import ScoreFunction, evaluate
from recsys.evaluation.report import Report
from recsys.training.build import BuiltModel
from recsys.training.content import ItemContent
from recsys.training.content.alike import popularity_of_alike
from recsys.training.content.features import content_matrix

_SEED = 1


def evaluate_cold_items(
    score: ScoreFunction,
    test: TestSet,
    cold: NDArray[np.bool_],
    expected_popularity: NDArray[np.floating],
    seed: int,
    k: int = 20,
    on_arrival: ScoreFunction | None = None,
) -> Mapping[str, Report]:
    """Judge the k best cold items of each user.

    Args:
        score: the model, over all n items.
        cold: (n,) bool, the items without behaviour that may be recommended.
        expected_popularity: (n,), of cold items what may be expected, such as
            `recsys.training.content.alike.popularity_of_alike`.
        seed: of the random ranking.
        on_arrival: the scores of these items before a nightly run has learnt them.

    Returns:
        Reports of `model`, `on_arrival` where it is given, `popularity` and `random` over the same
        users; no metric in any of them where nobody wanted a cold item.
    """
    wanted = only_items(test, cold)
    random = np.random.default_rng(seed)
    popularity = expected_popularity.astype(np.float32)
    rankings: Mapping[str, ScoreFunction] = {
        "model": score,
        **({"on_arrival": on_arrival} if on_arrival else {}),
        "popularity": lambda users: np.tile(popularity, (len(users), 1)),
        "random": lambda users: random.random((len(users), len(cold)), np.float32),
    }
    return {name: evaluate(_masked(of, cold), wanted, k=k) for name, of in rankings.items()}


def only_items(test: TestSet, chosen: NDArray[np.bool_]) -> TestSet:
    """The users that training knows and what they wanted of the items where (n,) is true."""
    users, items = test.pair_users, test.items
    kept = (users < test.known_users) & (items < test.known_items)
    kept[kept] = chosen[items[kept]]
    return TestSet.from_pairs(users[kept], items[kept], test.known_users, test.known_items)


def _masked(score: ScoreFunction, chosen: NDArray[np.bool_]) -> ScoreFunction:
    def scores(users: NDArray[np.int64]) -> Scores:
        return np.where(chosen, score(users), np.float32(-np.inf))

    return scores


def cold_item_metrics(
    past: BuiltModel, shoppers: NDArray[np.integer], content: ItemContent, test: TestSet
) -> Mapping[str, Report]:
    """Reports of a built model by name, see `evaluate_cold_items`; none where nobody wanted any.

    Args:
        shoppers: (n,) how many users each item had.
        content: of the n items.
    """
    cold = past.items.recommendable & (shoppers == 0)
    if not cold.any():
        return {}
    expected = popularity_of_alike(content_matrix(content), shoppers)

    def score(users: NDArray[np.int64]) -> Scores:
        histories = [past.users.history(user) for user in users.tolist()]
        factors = past.users.factors[users]
        return score_users(
            factors, past.items, histories, past.neighbour_weight, past.step_half_life
        )

    on_arrival = _scores_on_arrival(past, content, np.flatnonzero(cold))
    reports = evaluate_cold_items(score, test, cold, expected, _SEED, on_arrival=on_arrival)
    return reports if len(reports["model"].users) else {}


def _scores_on_arrival(
    past: BuiltModel, content: ItemContent, rows: NDArray[np.intp]
) -> ScoreFunction | None:
    """The scores that a recommender gives these items; None where it would give them none.

    All others have -inf.
    """
    if past.items.content is None or len(rows) > MAX_ADDED:
        return None
    # As if they had come after the training, behind all of its rows.
    n = len(past.items.ids)
    found = {n + place: foreseen(past.items, content.row(row)) for place, row in enumerate(rows)}
    known = {row: each for row, each in found.items() if each is not None}
    added = AddedItems.newcomers(past.items, known, known)
    own_rows = rows[added.rows - n]

    def score(users: NDArray[np.int64]) -> Scores:
        scores = np.full((len(users), n), -np.inf, np.float32)
        for place, user in enumerate(users.tolist()):
            history = faded(past.users.history(user), past.step_half_life)
            scores[place, own_rows] = added.scores_for(
                past.users.factors[user], history, past.neighbour_weight
            )
        return scores

    return score
