"""One trained model version: what is fixed about it, its item model and its user model."""

from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.core.content_index import ContentIndex
from recsys.core.errors import InvalidModel
from recsys.core.event_types import EventType
from recsys.core.fold_in import Factors, Spectrum, gramian, spectrum
from recsys.core.popularity_windows import PopularityWindow
from recsys.core.ranking import Indices
from recsys.core.repurchases import UserRepurchases
from recsys.core.shop_time import Pause, ShopTime
from recsys.core.vocabulary import Vocabulary

NO_NEIGHBOUR = -1

# See `recsys.core.recency`.
Steps = NDArray[np.int32]


@dataclass(frozen=True)
class ScoringParams:
    """Parameters that a model was trained with, and that serving must score with too.

    Attributes:
        alpha: confidence of a strength of one, see `recsys.core.fold_in.confidence`.
        regularization, frequency_weight: see `recsys.core.fold_in.row_regularization`.
        neighbour_weight: what the neighbour part of a score counts beside that of the factors.
        half_life_days: age at which an event counts half, of a type without a half-life of its own.
        event_types: every type of event and what it counts.
        step_half_life: steps after which behaviour counts half in an answer, see
            `recsys.core.recency`; None where the order of behaviour does not count.
        as_of_ms, pauses: what ages are measured by, see `recsys.core.shop_time`.
        read_at_ms: events received from then on are not in the model, all earlier ones are.
        end_ms: events at or after this time are not in the model either.
        target_types: types of event by which an item is bought; none in models of before format 6.
        known_items: how many items have behaviour, the columns that the lambda of a user counts;
            None in models of before, in which all items count.
    """

    alpha: float
    regularization: float
    frequency_weight: float
    neighbour_weight: float
    half_life_days: float
    event_types: Mapping[str, EventType]
    as_of_ms: int
    read_at_ms: int
    end_ms: int
    pauses: tuple[Pause, ...] = ()
    step_half_life: float | None = None
    target_types: tuple[str, ...] = ()
    known_items: int | None = None

    @property
    def shop_time(self) -> ShopTime:
        return ShopTime(self.as_of_ms, self.pauses)

    def is_after_training(self, received_ms: int, timestamp_ms: int) -> bool:
        """Whether an event is not in the model yet."""
        return received_ms >= self.read_at_ms or timestamp_ms >= self.end_ms


@dataclass(frozen=True)
class ItemModel:
    """The items of a model version, n of them with k factors and up to m neighbours each.

    Attributes:
        ids: the vocabulary of the n items.
        titles: n titles, empty where the catalogue has none.
        factors: (n, k) float32.
        neighbours: (n, m) item rows, best first, padded with NO_NEIGHBOUR: what the same users
            want, and what they want next.
        neighbour_scores: (n, m) float32, zero where padded.
        order_shares: (n, m) float16, 0 to 1, how much of a neighbour score is due to the order of
            behaviour.
        trend: (n,) float32, positive; above one where an item sells better lately than items do.
        popular: (n,) item rows, most popular first.
        eligible: (n,) bool; only these may be recommended.
        partners: (n, p) item rows, best first, padded with NO_NEIGHBOUR: what is bought in one
            basket with an item. None in models of before format 5.
        partner_scores: (n, p) float32, zero where padded, see `recsys.training.baskets`.
        rising: item rows, most rising first: those that more want lately than before, see
            `recsys.training.popularity`. None in models of before format 5.
        windows: what was popular within so many days; none in models of before format 8.
        content: by which items that came later are known; None where content does not foresee
            behaviour, and in models of before format 10.

    Raises:
        InvalidModel: when shapes disagree or a number is not one.
    """

    ids: Vocabulary
    titles: tuple[str, ...]
    factors: Factors
    neighbours: Indices
    neighbour_scores: NDArray[np.float32]
    order_shares: NDArray[np.float16]
    trend: NDArray[np.float32]
    popular: Indices
    eligible: NDArray[np.bool_]
    partners: Indices | None = None
    partner_scores: NDArray[np.float32] | None = None
    rising: Indices | None = None
    windows: Mapping[int, PopularityWindow] = field(default_factory=dict)
    content: ContentIndex | None = None

    def __post_init__(self) -> None:
        n = len(self.ids)
        for name, (dimensions, kind) in _ARRAYS.items():
            array = getattr(self, name)
            if array is None and name in OPTIONAL_ARRAYS:
                continue
            if (array.ndim, array.dtype.kind) != (dimensions, kind):
                raise InvalidModel(f"{name} is an array of another kind: {_kind_of(array)}")
        lengths = {len(self.titles), len(self.factors), len(self.neighbours), len(self.popular)}
        lengths |= {len(self.neighbour_scores), len(self.trend), len(self.eligible)}
        if lengths != {n}:
            raise InvalidModel(f"the item model disagrees on how many items there are ({n} ids)")
        if not (self.neighbours.shape == self.neighbour_scores.shape == self.order_shares.shape):
            raise InvalidModel("neighbours and their scores differ in shape")
        for name in ("factors", "neighbour_scores", "order_shares"):
            if not np.isfinite(getattr(self, name)).all():
                raise InvalidModel(f"a number of {name} is not finite")
        if not (np.isfinite(self.trend) & (self.trend > 0)).all():
            raise InvalidModel("a trend is not a positive number")
        rising = () if self.rising is None else (self.rising,)
        windowed = (rows for each in self.windows.values() for rows in (each.popular, each.rising))
        orders = all(_within(order, 0, n) for order in (self.popular, *rising, *windowed))
        if not (_within(self.neighbours, NO_NEIGHBOUR, n) and orders):
            raise InvalidModel("a list of items points to one that is not there")
        self._check_partners(n)
        self._check_content(n)

    def _check_partners(self, n: int) -> None:
        partners, scores = self.partners, self.partner_scores
        if partners is None and scores is None:
            return
        if partners is None or scores is None:
            raise InvalidModel("partners and their scores come together")
        if partners.shape != scores.shape or len(partners) != n:
            raise InvalidModel("partners differ in shape from their scores or from the items")
        if not np.isfinite(scores).all():
            raise InvalidModel("a number of partner_scores is not finite")
        if not _within(partners, NO_NEIGHBOUR, n):
            raise InvalidModel("a list of partners points to an item that is not there")

    def _check_content(self, n: int) -> None:
        if self.content is not None and len(self.content.scales) != n:
            raise InvalidModel("the content index is that of more or fewer items")

    @cached_property
    def recommendable(self) -> NDArray[np.bool_]:
        """(n,) bool: eligible and with factors; an item nobody touched has none to score by."""
        return self.eligible & self.has_factors

    @cached_property
    def has_factors(self) -> NDArray[np.bool_]:
        """(n,) bool."""
        return np.asarray(self.factors.any(axis=1))

    @cached_property
    def popularity_rank(self) -> Indices:
        """(n,) the position of each item in `popular`."""
        rank = np.empty(len(self.popular), np.int32)
        rank[self.popular] = np.arange(len(rank), dtype=np.int32)
        return rank

    def offering(self, rows: Collection[int]) -> "ItemModel":
        """The same with these items eligible, too; it shares all else, what was calculated as well.

        A copy of the usual way would check all factors again and take the gramian apart anew.
        """
        eligible = self.eligible.copy()
        eligible[list(rows)] = True
        offered = copy(self)
        vars(offered).update(eligible=eligible, recommendable=eligible & self.has_factors)
        return offered

    @cached_property
    def gramian(self) -> Factors:
        """Y^T Y, (k, k)."""
        return gramian(self.factors)

    @cached_property
    def spectrum(self) -> Spectrum:
        """The gramian taken apart."""
        return spectrum(self.gramian)


# Dimensions and numpy's kind of number of each array of an item model.
_ARRAYS = {
    "factors": (2, "f"),
    "neighbours": (2, "i"),
    "neighbour_scores": (2, "f"),
    "order_shares": (2, "f"),
    "trend": (1, "f"),
    "popular": (1, "i"),
    "eligible": (1, "b"),
    "partners": (2, "i"),
    "partner_scores": (2, "f"),
    "rising": (1, "i"),
}
# Those that models of earlier formats lack: None.
OPTIONAL_ARRAYS = ("partners", "partner_scores", "rising")


def _kind_of(array: NDArray[np.generic]) -> str:
    return f"{array.dtype} of shape {array.shape}"


def _within(rows: NDArray[np.int32], first: int, end: int) -> bool:
    return bool(((rows >= first) & (rows < end)).all())


@dataclass(frozen=True)
class History:
    """History of one user up to training, or of all users in CSR form when `indptr` comes with it.

    Attributes:
        items: item rows.
        strengths: float32, positive where the pair counts in training, zero where it only excludes;
            negative, as after a dislike, it lowers the item's neighbours and nothing else.
        excluded: bool; the item is not recommended to the user.
        steps: int32, how many later moments of behaviour the user has, see `recsys.core.recency`;
            zeros where the order is unknown.
    """

    items: Indices
    strengths: NDArray[np.float32]
    excluded: NDArray[np.bool_]
    steps: Steps

    @classmethod
    def empty(cls) -> "History":
        none = np.empty(0, np.int32)
        return cls(none, np.empty(0, np.float32), np.empty(0, np.bool_), none)

    def span(self, rows: slice) -> "History":
        """A stretch of it, without copying."""
        return History(
            self.items[rows], self.strengths[rows], self.excluded[rows], self.steps[rows]
        )


@dataclass(frozen=True)
class UserModel:
    """The users of a model version: u of them with k factors and their histories.

    Attributes:
        ids: the vocabulary of the u users.
        factors: (u, k) float32.
        indptr: (u + 1,) int64; user row r has histories indptr[r]:indptr[r + 1].
        histories: of all users, one after the other.
        repurchases: what each bought more than once; None in models of before format 6.

    Raises:
        InvalidModel: when shapes disagree or a factor is not finite.
    """

    ids: Vocabulary
    factors: Factors
    indptr: NDArray[np.int64]
    histories: History
    repurchases: UserRepurchases | None = None

    def __post_init__(self) -> None:
        if len(self.factors) != len(self.ids) or len(self.indptr) != len(self.ids) + 1:
            raise InvalidModel("the user model disagrees on how many users there are")
        if not np.isfinite(self.factors).all():
            raise InvalidModel("a user factor is not finite")
        if self.repurchases is not None and len(self.repurchases.indptr) != len(self.indptr):
            raise InvalidModel("the repurchases are those of more or fewer users")

    def history(self, user_index: int) -> History:
        """The history of the user in that row."""
        return self.histories.span(slice(self.indptr[user_index], self.indptr[user_index + 1]))

    def histories_of(self, rows: range) -> tuple[NDArray[np.int64], History]:
        """Those of consecutive rows in CSR form: offsets from 0, and one after the other."""
        indptr = self.indptr[rows.start : rows.stop + 1]
        return indptr - indptr[0], self.histories.span(slice(indptr[0], indptr[-1]))


@dataclass(frozen=True)
class TrainedModel:
    """A whole model: how it was made, its items and its users."""

    params: ScoringParams
    items: ItemModel
    users: UserModel
