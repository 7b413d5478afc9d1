"""All metrics of one model's lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.evaluation.held_out import NO_ITEM, RankedLists, TestSet
from recsys.evaluation.intervals import Estimate, mean_interval, paired_difference, user_mean
from recsys.evaluation.list_metrics import (
    coverage,
    exposure,
    gini,
    intra_list_diversity,
    novelty,
    self_information,
)
from recsys.evaluation.ranking_metrics import RANKING_METRICS

# One cut-off of a list, or several.
Cutoffs = int | Sequence[int]
DEFAULT_K = 20

# So many lists give a narrow interval, so many users the cosines of whatever is shown often; with
# all of them, diversity would take longer than all other metrics together.
DIVERSITY_LISTS = 1000
DIVERSITY_USERS = 50_000


@dataclass(frozen=True)
class Behaviour:
    """Behaviour that list metrics compare with.

    Attributes:
        matrix: (u, n) training behaviour, positive where a user had an item.
        eligible: (n,) bool, what coverage and Gini are over.
    """

    matrix: csr_matrix
    eligible: NDArray[np.bool_]

    @cached_property
    def information(self) -> NDArray[np.float64]:
        return self_information(self.matrix.getnnz(axis=0), self.matrix.shape[0])


@dataclass(frozen=True)
class Report:
    """Metrics by name, such as ndcg_at_20; none at all when there was no test user.

    Attributes:
        users: (t,) the user rows judged.
        per_user: (t,) values each, NaN where a metric has none for the user.
        of_lists: metrics that only all lists together have.
    """

    users: NDArray[np.int64]
    per_user: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    of_lists: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def estimates(self) -> dict[str, Estimate]:
        """Means over users with their intervals."""
        return {name: mean_interval(values) for name, values in self.per_user.items()}

    @cached_property
    def means(self) -> dict[str, float]:
        """All metrics as single numbers."""
        means = {name: user_mean(values) for name, values in self.per_user.items()}
        return means | dict(self.of_lists)

    def minus(self, other: "Report") -> dict[str, Estimate]:
        """Paired difference to another model, user by user, of each metric that both have.

        Raises:
            InvalidInput: when other users were judged.
        """
        if not np.array_equal(self.users, other.users):
            raise InvalidInput([FieldProblem("users", "two models must be judged by the same")])
        return {
            name: paired_difference(values, other.per_user[name])
            for name, values in self.per_user.items()
            if name in other.per_user
        }


def cutoffs_of(k: Cutoffs) -> tuple[int, ...]:
    """Each cut-off once, in the order given.

    Raises:
        InvalidInput: for one below 1, or none.
    """
    found = tuple(dict.fromkeys(map(int, np.atleast_1d(k))))
    if not found or min(found) < 1:
        raise InvalidInput([FieldProblem("k", f"must be 1 or more, not {k}")])
    return found


def evaluate_lists(
    lists: RankedLists, test: TestSet, behaviour: Behaviour | None = None, k: Cutoffs = DEFAULT_K
) -> Report:
    """Metrics of the first k of the lists of test users.

    Args:
        lists: (t, any) item rows, best first, padded with NO_ITEM.
        behaviour: without it only ranking metrics are there.
        k: one cut-off or several, each with metrics of its own.

    Raises:
        InvalidInput: when a list names an item twice, or there is not one a test user.
    """
    if not len(test):
        return Report(test.users)
    cutoffs = cutoffs_of(k)
    if len(lists) != len(test):
        reason = f"must be one for each of {len(test)} test users, not {len(lists)}: see test.users"
        raise InvalidInput([FieldProblem("lists", reason)])
    lists = _of_length(lists, max(cutoffs))
    _refuse_repeats(lists)
    hits = test.hits(lists)
    per_user: dict[str, NDArray[np.float64]] = {}
    of_lists: dict[str, float] = {}
    for cutoff in cutoffs:
        for name, of in RANKING_METRICS.items():
            per_user[f"{name}_at_{cutoff}"] = of(hits[:, :cutoff], test.relevant)
        if behaviour is None:
            continue
        first = lists[:, :cutoff]
        per_user[f"novelty_at_{cutoff}"] = novelty(first, behaviour.information)
        per_user[f"diversity_at_{cutoff}"] = _diversity(first, behaviour.matrix)
        exposures = exposure(first, len(behaviour.eligible))
        of_lists[f"coverage_at_{cutoff}"] = coverage(exposures, behaviour.eligible)
        of_lists[f"gini_at_{cutoff}"] = gini(exposures, behaviour.eligible)
    return Report(test.users, per_user, of_lists)


def _diversity(lists: RankedLists, matrix: csr_matrix) -> NDArray[np.float64]:
    """Intra-list diversity by who had the items, of some lists; NaN of the others."""
    chosen = _spread(len(lists), DIVERSITY_LISTS)
    some = lists[chosen]
    shown = np.unique(some[some != NO_ITEM])
    columns = matrix[_spread(matrix.shape[0], DIVERSITY_USERS)][:, shown].T.tocsr()
    columns.data = np.ones_like(columns.data)
    found = np.full(len(lists), np.nan)
    renumbered = np.where(some == NO_ITEM, NO_ITEM, np.searchsorted(shown, some))
    found[chosen] = intra_list_diversity(renumbered, columns)
    return found


def _spread(rows: int, most: int) -> NDArray[np.int64]:
    """At most so many rows, evenly spread: the same ones for every model."""
    return np.unique(np.linspace(0, rows - 1, most).astype(np.int64))


def _of_length(lists: RankedLists, k: int) -> RankedLists:
    missing = max(k - lists.shape[1], 0)
    return np.pad(lists[:, :k], ((0, 0), (0, missing)), constant_values=NO_ITEM)


def _refuse_repeats(lists: RankedLists) -> None:
    ordered = np.sort(lists, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] != NO_ITEM)).any():
        raise InvalidInput([FieldProblem("lists", "a list names an item twice")])
