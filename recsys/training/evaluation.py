"""How good lists are on the future they did not see.

Means over users with test items, all items ranked that the user may be shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.ranking import Indices, top_n_rows
from recsys.core.scoring import Scores

USERS_A_BLOCK = 512
TestItems = Sequence[Indices]


def recall_at_k(recommended: Indices, relevant: Indices, k: int) -> float:
    """Hits among the first k over the number of relevant items."""
    return float(np.isin(recommended[:k], relevant).sum() / len(relevant))


def ndcg_at_k(recommended: Indices, relevant: Indices, k: int) -> float:
    """DCG@k over the best possible one, binary relevance (Järvelin & Kekäläinen, 2002).

    The ideal list has min(k, number of relevant items) hits.
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    hits = np.isin(recommended[:k], relevant)
    return float(discounts[: len(hits)][hits].sum() / discounts[: min(k, len(relevant))].sum())


def coverage(lists: Sequence[Indices], eligible: NDArray[np.bool_]) -> float:
    """Share of the eligible items that appear in any list."""
    shown: set[int] = set()
    for recommended in lists:
        shown.update(recommended.tolist())
    return len(shown) / max(int(eligible.sum()), 1)


@dataclass(frozen=True)
class TestSet:
    """The held-out future: `relevant[j]` are the item rows that user row `users[j]` turned to."""

    # Not a test class, whatever pytest makes of its name.
    __test__ = False

    users: NDArray[np.int64]
    relevant: TestItems


def evaluate(
    score: Callable[[NDArray[np.int64]], Scores],
    test: TestSet,
    eligible: NDArray[np.bool_],
    k: int = 20,
) -> dict[str, float]:
    """Metrics of a scorer.

    Args:
        score: from user rows (b,) to scores (b, n), masked where an item must not be listed.
        eligible: (n,) bool, what coverage is a share of.

    Returns:
        recall, ndcg and coverage at k by name; nothing when there is no test user.
    """
    if not len(test.users):
        return {}
    lists: list[Indices] = []
    for start in range(0, len(test.users), USERS_A_BLOCK):
        lists += top_n_rows(score(test.users[start : start + USERS_A_BLOCK]), k)
    judged = list(zip(lists, test.relevant, strict=True))
    return {
        f"recall_at_{k}": float(np.mean([recall_at_k(got, want, k) for got, want in judged])),
        f"ndcg_at_{k}": float(np.mean([ndcg_at_k(got, want, k) for got, want in judged])),
        f"coverage_at_{k}": coverage(lists, eligible),
    }
