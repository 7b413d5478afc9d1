"""A model, and which of its items may be recommended at one moment."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from recsys.core.model import ItemModel, ScoringParams
from recsys.core.serving.candidates import MAX_POPULAR, EligibleItems, most_popular
from recsys.core.serving.returned import ReturnedItems

# For a user who had all of the most popular items already.
_PIECE = 256


@dataclass(frozen=True)
class ServingModel:
    """A model of n items as it serves: what is asked for every list, calculated once.

    Making one takes time and memory by the number of all items, using it does not.

    Attributes:
        shown: (n,) bool, the items that may be shown.
        eligible: those of them that can be scored, as candidates.
        returned: those that are back, and in no list that was calculated at night.
        is_filtered: whether fewer items are shown than the shop offers: a list that was
            calculated at night may have none of them.
    """

    items: ItemModel
    params: ScoringParams
    shown: NDArray[np.bool_] = field(compare=False, repr=False)
    eligible: EligibleItems = field(compare=False, repr=False)
    returned: ReturnedItems = field(compare=False, repr=False)
    is_filtered: bool = False

    @classmethod
    def of(
        cls,
        items: ItemModel,
        params: ScoringParams,
        hidden: Collection[int] = (),
        back: Collection[int] = (),
    ) -> "ServingModel":
        """All that a model may recommend.

        Args:
            hidden: item rows that must not be shown now: sold out, deleted.
            back: rows of items that may be shown, though the model was trained without them.
        """
        items = items.offering(back) if back else items
        shown = items.eligible.copy()
        shown[np.fromiter(hidden, np.intp, len(hidden))] = False
        return cls(
            items,
            params,
            shown,
            EligibleItems.where(items, shown & items.has_factors),
            ReturnedItems.of(items, back),
        )

    def where(self, mask: NDArray[np.bool_]) -> "ServingModel":
        """The same for the items where an (n,) mask is true."""
        shown = self.shown & mask
        back = self.returned.rows
        return ServingModel(
            self.items,
            self.params,
            shown,
            EligibleItems.where(self.items, shown & self.items.has_factors),
            ReturnedItems.of(self.items, back[shown[back]].tolist()),
            is_filtered=True,
        )

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
    def _most_popular(self) -> list[int]:
        rows: list[int] = most_popular(self.items, self.shown).tolist()
        return rows
