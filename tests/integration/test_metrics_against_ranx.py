"""An independent implementation of the metrics is the oracle of ours, user by user."""

from typing import Any

import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from recsys.core.scoring import Scores
from recsys.evaluation import NO_ITEM, RankedLists, TestSet, evaluate_lists, top_k_lists

USERS, ITEMS = 60, 50
CUTOFFS = (10, 20, 50)
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


@pytest.fixture(scope="module")
def next_items() -> TestSet:
    """One relevant item a user, as where each user's last event is held out."""
    items = np.random.default_rng(7).integers(ITEMS + 5, size=USERS)
    return TestSet.from_pairs(np.arange(USERS), items, USERS, ITEMS)


# ranx's own sources warn when they are imported.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("fixture", ["test_set", "next_items"])
def test_every_user_scores_as_in_ranx(
    fixture: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Compiling ranx takes a minute; for so few users it is quick as plain Python.
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    test: TestSet = request.getfixturevalue(fixture)
    lists = top_k_lists(score, test, max(CUTOFFS))
    ours = evaluate_lists(lists, test, k=CUTOFFS).per_user

    for k in CUTOFFS:
        theirs = _by_ranx(lists[:, :k], test)
        for name in ("recall", "ndcg", "mrr", "precision", "hit_rate"):
            assert ours[f"{name}_at_{k}"] == pytest.approx(theirs[name]), name
        # ranx divides by all relevant items, also where a list of k cannot hold them.
        relevant = test.relevant
        map_of_ours = ours[f"map_at_{k}"] * np.minimum(relevant, k) / relevant
        assert map_of_ours == pytest.approx(theirs["map"])


def _by_ranx(lists: RankedLists, test: TestSet) -> dict[str, NDArray[np.float64]]:
    import ranx

    k = lists.shape[1]
    rows: list[Any] = [test.items[slice(*test.indptr[j : j + 2])] for j in range(len(test))]
    # Names that sort as their rows do: ranx goes through queries in that order.
    qrels = {f"u{j:03}": {f"i{i}": 1 for i in items} for j, items in enumerate(rows)}
    run = {
        f"u{j:03}": {f"i{i}": float(k - place) for place, i in enumerate(row) if i != NO_ITEM}
        for j, row in enumerate(lists)
    }
    names = ("recall", "ndcg", "map", "mrr", "precision", "hit_rate")
    found = ranx.evaluate(
        ranx.Qrels(qrels), ranx.Run(run), [f"{name}@{k}" for name in names], return_mean=False
    )
    return {name: found[f"{name}@{k}"] for name in names}
