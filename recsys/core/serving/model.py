"""A model, and which of its items may be recommended at one moment."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.popularity_windows import PopularityWindow
from recsys.core.ranking import Indices
from recsys.core.scoring import KnownItems
from recsys.core.serving.added import AddedItems, Foreseen, known_items
from recsys.core.serving.candidates import MAX_POPULAR, EligibleItems, most_popular
from recsys.core.serving.live_windows import LiveWindows
from recsys.core.serving.row_catalogue import RowCatalogue

# For a user who had all of the most popular items already.
_PIECE = 256
# More than these no list of new items has.
MAX_NEW = 1000


class ShownWindow(NamedTuple):
    """A window's items that may be shown, best first: rows, each with a score.

    Attributes:
        popular: the score is the item's shoppers as a share of those of the shop's first item:
            browsers need not learn how much a shop sells.
        rising: the score is the rise as a share of the highest.
    """

    popular: list[tuple[int, float]]
    rising: list[tuple[int, float]]

    @classmethod
    def of(cls, window: PopularityWindow, shown: NDArray[np.bool_]) -> "ShownWindow":
        """Leave out what may not be shown.

        Args:
            shown: by row; a window may have rows of items that came later than that.
        """
        return cls(
            _shares(window.popular, window.shoppers, shown),
            _shares(window.rising, window.rises, shown),
        )


@dataclass(frozen=True)
class ServingModel:
    """A model of n items as it serves: what is asked for every list, calculated once.

    The rows from n on are of m items that came into the catalogue since the model was trained.
    Making one takes time and memory by the number of all items, using it does not.

    Attributes:
        shown: (n + m,) bool, the items that may be shown.
        eligible: those of them that can be scored, as candidates.
        returned: those that are back, and in no list that was calculated at night.
        newcomers: those of the m of which something is foreseen.
        foreseen: by row, what content foresees of the m items, shown or not; it may change.
        catalogue: what each item is now.
        windows: what was popular within so many days.
        is_filtered: whether fewer items are shown than the shop offers: a list that was
            calculated at night may have none of them.
    """

    items: ItemModel
    params: ScoringParams
    shown: NDArray[np.bool_] = field(compare=False, repr=False)
    eligible: EligibleItems = field(compare=False, repr=False)
    returned: AddedItems = field(compare=False, repr=False)
    newcomers: AddedItems = field(compare=False, repr=False)
    foreseen: Mapping[int, Foreseen] = field(compare=False, repr=False)
    catalogue: RowCatalogue = field(compare=False, repr=False)
    windows: LiveWindows = field(compare=False, repr=False)
    is_filtered: bool = False
    _windows: dict[int, tuple[PopularityWindow, ShownWindow]] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )
    # With the arrivals that it was made of; one at most.
    _newest: list[tuple[NDArray[np.int64], list[tuple[int, int]]]] = field(
        init=False, default_factory=list, compare=False, repr=False
    )

    @classmethod
    def of(
        cls,
        items: ItemModel,
        params: ScoringParams,
        hidden: Collection[int] = (),
        back: Collection[int] = (),
        catalogue: RowCatalogue | None = None,
        foreseen: Mapping[int, Foreseen] = MappingProxyType({}),
        windows: LiveWindows | None = None,
    ) -> "ServingModel":
        """All that a model may recommend.

        Args:
            hidden: item rows that must not be shown now: sold out, deleted.
            back: rows of items that may be shown, though the model was trained without them.
            catalogue: with n + m rows; the items that the model does not know and may be shown are
                back. Without one there are none.
            foreseen: by row, what content foresees of them.
            windows: those of the model, where none are given.
        """
        if catalogue is None:
            catalogue = RowCatalogue(len(items.ids))
        newcomers = np.zeros(len(catalogue) - len(items.ids), np.bool_)
        known = [row for row in back if row < len(items.ids)]
        shown = np.concatenate([items.eligible, newcomers])
        shown[np.fromiter(hidden, np.intp, len(hidden))] = False
        shown[np.fromiter(back, np.intp, len(back))] = True
        items = items.offering(known) if known else items
        return cls(
            *(items, params, shown, _scored(items, shown)),
            AddedItems.returned(items, known),
            AddedItems.newcomers(items, back, foreseen),
            *(foreseen, catalogue, windows or LiveWindows(items, items.ids.index_of)),
        )

    def where(self, mask: NDArray[np.bool_]) -> "ServingModel":
        """The same for the items where an (n + m,) mask is true."""
        shown = self.shown & mask
        back, newcomers = self.returned.rows, self.newcomers.rows
        return ServingModel(
            *(self.items, self.params, shown, _scored(self.items, shown)),
            AddedItems.returned(self.items, back[shown[back]].tolist()),
            AddedItems.newcomers(self.items, newcomers[shown[newcomers]].tolist(), self.foreseen),
            *(self.foreseen, self.catalogue, self.windows),
            is_filtered=True,
        )

    def can_score(self, row: int) -> bool:
        """Whether an item is known, or foreseen."""
        return row < len(self.items.ids) or row in self.foreseen

    def can_score_by(self, history: History) -> bool:
        """Whether anything good is known of a user with this history."""
        liked = history.items[history.strengths > 0]
        return any(map(self.can_score, liked.tolist()))

    def known(self, rows: Indices) -> KnownItems:
        """What scores of these items, and of users who had them, are made of; none twice."""
        return known_items(self.items, rows, self.foreseen)

    @cached_property
    def shown_bytes(self) -> bytes:
        """`shown` for a look at one row after the other, at a third of the time."""
        return self.shown.tobytes()

    def popular(self) -> Iterator[int]:
        """Rows of the items that may be shown, the most popular first."""
        yield from self._most_popular
        if len(self._most_popular) < MAX_POPULAR:
            return
        order = self.items.popular
        others = order[self.shown.take(order)][MAX_POPULAR:]
        # Without turning all of a large catalogue into Python's numbers.
        for start in range(0, len(others), _PIECE):
            yield from others[start : start + _PIECE].tolist()

    @cached_property
    def rising(self) -> list[int]:
        """Rows of the items that may be shown and that more want lately, the most rising first."""
        order = self.items.rising
        if order is None:
            return []
        rows: list[int] = order[self.shown.take(order)][:MAX_POPULAR].tolist()
        return rows

    def window(self, days: int) -> ShownWindow | None:
        """What was popular, and rose, within so many days; None where the model does not know."""
        window = self.windows.of(days)
        if window is None:
            return None
        before, found = self._windows.get(days, (None, None))
        if found is None or before is not window:
            found = ShownWindow.of(window, self.shown)
            self._windows[days] = window, found
        return found

    def newest(self, since_ms: int, until_ms: int) -> Iterator[int]:
        """Rows of the items that may be shown and arrived between these moments, the newest first;
        then all that the model does not know.

        Of items that arrived at one moment, as those of one file do, the most popular come first.

        Args:
            until_ms: the time now. What says that it arrives later would be the newest until then.
        """
        for row, arrived_ms in self._latest():
            if arrived_ms < since_ms:
                break
            if arrived_ms <= until_ms:
                yield row
        n = len(self.items.ids)
        yield from (n + np.flatnonzero(self.shown[n:])[::-1]).tolist()

    def _latest(self) -> list[tuple[int, int]]:
        """Rows of those of which it is known when they arrived, with the time, the newest first.

        A shop may say another time later, by which nothing else changes.
        """
        arrivals = self.catalogue.arrivals()
        if not self._newest or self._newest[0][0] is not arrivals:
            self._newest[:] = [(arrivals, self._latest_of(arrivals))]
        return self._newest[0][1]

    def _latest_of(self, arrivals: NDArray[np.int64]) -> list[tuple[int, int]]:
        newcomers = np.arange(len(self.shown) - 1, len(self.items.ids) - 1, -1)
        rows = np.concatenate([newcomers, self.items.popular])
        arrived = arrivals.take(rows)
        found = np.flatnonzero(self.shown.take(rows) & (arrived > 0))
        if len(found) > MAX_NEW:
            oldest = np.partition(arrived.take(found), -MAX_NEW)[-MAX_NEW]
            found = found[arrived.take(found) >= oldest]
        found = found[np.argsort(-arrived.take(found), kind="stable")][:MAX_NEW]
        return list(zip(rows[found].tolist(), arrived[found].tolist(), strict=True))

    @cached_property
    def _most_popular(self) -> list[int]:
        rows: list[int] = most_popular(self.items, self.shown).tolist()
        return rows


def _shares(
    rows: Indices, numbers: NDArray[np.number], shown: NDArray[np.bool_]
) -> list[tuple[int, float]]:
    is_shown = shown.take(rows, mode="clip") & (rows < len(shown))
    best, scores = rows[is_shown][:MAX_POPULAR], numbers[is_shown][:MAX_POPULAR]
    return list(zip(best.tolist(), (scores / numbers[:1]).tolist(), strict=True))


def _scored(items: ItemModel, shown: NDArray[np.bool_]) -> EligibleItems:
    return EligibleItems.where(items, shown[: len(items.ids)] & items.has_factors, len(shown))
