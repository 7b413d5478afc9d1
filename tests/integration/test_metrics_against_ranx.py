"""An independent implementation of the metrics is the oracle of ours, user by user."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.core.scoring import Scores
from recsys.evaluation import NO_ITEM, Lists, TestSet, judge, top_k_lists

USERS, ITEMS, K = 60, 50, 20
SCORES = np.random.default_rng(5).random((USERS, ITEMS)).astype(np.float32)


def score(users: NDArray[np.int64]) -> Scores:
    """Every third user is shown five items only, so that lists are also shorter than k."""
    scores = SCORES[users].copy()
    scores[users % 3 == 0, 5:] = -np.inf
    return scores


@pytest.fixture(scope="module")
def test_set() -> TestSet:
    """From one relevant item to more than k, some of them unknown to training."""
    random = np.random.default_rng(6)
    relevant = [random.choice(ITEMS + 5, random.integers(1, 30), replace=False) for _ in SCORES]
    users = np.repeat(np.arange(USERS), [len(items) for items in relevant])
    return TestSet.from_pairs(users, np.concatenate(relevant), USERS, ITEMS)


# ranx's own sources warn when they are compiled, and compiling it takes seconds.
@pytest.mark.filterwarnings("ignore")
def test_every_user_scores_as_in_ranx(test_set: TestSet) -> None:
    lists = top_k_lists(score, test_set, K)
    ours = judge(lists, test_set).per_user
    theirs = _by_ranx(lists, test_set)

    for name in ("recall", "ndcg", "mrr", "precision", "hit_rate"):
        assert ours[f"{name}_at_{K}"] == pytest.approx(theirs[name]), name
    # ranx divides by all relevant items, also where a list of k cannot hold them.
    relevant = test_set.relevant
    map_of_ours = ours[f"map_at_{K}"] * np.minimum(relevant, K) / relevant
    assert map_of_ours == pytest.approx(theirs["map"])


def _by_ranx(lists: Lists, test: TestSet) -> dict[str, NDArray[np.float64]]:
    import ranx

    rows: list[Any] = [test.items[slice(*test.indptr[j : j + 2])] for j in range(len(test))]
    # Names that sort as their rows do: ranx goes through queries in that order.
    qrels = {f"u{j:03}": {f"i{i}": 1 for i in items} for j, items in enumerate(rows)}
    run = {
        f"u{j:03}": {f"i{i}": float(K - place) for place, i in enumerate(row) if i != NO_ITEM}
        for j, row in enumerate(lists)
    }
    names = ("recall", "ndcg", "map", "mrr", "precision", "hit_rate")
    found = ranx.evaluate(
        ranx.Qrels(qrels), ranx.Run(run), [f"{name}@{K}" for name in names], return_mean=False
    )
    return {name: found[f"{name}@{K}"] for name in names}
