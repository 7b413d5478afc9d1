"""Metrics of items without behaviour before the split.

Only these items are ranked, for users who had behaviour before and wanted one of them after: among
all items they are too few, and too new to be popular, for a metric over everything to show them.
Beside the model stand two rankings that know nothing of the user.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recsys.core.scoring import Scores
from recsys.evaluation.held_out import TestSet
from recsys.evaluation.ranked_lists import ScoreFunction, evaluate
from recsys.evaluation.report import Report


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
