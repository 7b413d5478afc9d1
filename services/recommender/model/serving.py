"""One tenant at one moment: the version that is loaded, and what its live catalogue says of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from recsys.core.arrivals import NEW_DAYS
from recsys.core.catalogue import CatalogueColumns
from recsys.core.limits import MAX_LIMIT
from recsys.core.model import ItemModel, ScoringParams
from recsys.core.serving.live_windows import LiveWindows
from recsys.core.serving.model import ServingModel
from recsys.core.times import MS_PER_DAY
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import unpack_items
from recsys.stores.model_files import ITEMS, check_digest
from services.recommender.model.answer_cache import BoundedCache, CachedUser, Rendered, unknown_user
from services.recommender.model.calibration import fold_in_seconds
from services.recommender.model.shown_items import ShownItems

# There are fewer items than users, and what is alike to them changes with the model only.
_SIMILAR_SHARE = 4


@dataclass(frozen=True)
class LoadedModel:
    """A published version in memory: complete, verified, never changed.

    One request uses one instance from start to end.

    Attributes:
        items: as trained; what serves has more that are eligible, when they are back.
        fold_in_seconds: see `calibration`.
    """

    version: str
    items: ItemModel
    params: ScoringParams
    fold_in_seconds: float
    shown: ShownItems = field(compare=False, repr=False)
    windows: LiveWindows = field(compare=False, repr=False)
    users: BoundedCache[CachedUser] = field(compare=False, repr=False)
    similar: BoundedCache[Rendered] = field(compare=False, repr=False)

    def is_eligible(self, row: int) -> bool:
        """Tell whether the model was trained to recommend an item."""
        return row < len(self.items.ids) and bool(self.items.eligible[row])


def load_model(manifest_json: bytes, items: bytes, cache_bytes: int) -> LoadedModel:
    """Verify and unpack a published version; takes seconds for a million items.

    Args:
        cache_bytes: how much memory what was worked out for users and items may take.

    Raises:
        InvalidModel: when anything about it is wrong.
    """
    manifest = Manifest.from_json(manifest_json)
    check_digest(manifest, ITEMS, items)
    unpacked = unpack_items(items)
    # Computed on first use otherwise, and then a user would wait for it.
    _ = unpacked.spectrum, unpacked.has_factors
    params, shown = manifest.recipe.to_params(), ShownItems(unpacked)
    return LoadedModel(
        version=manifest.version,
        items=unpacked,
        params=params,
        fold_in_seconds=fold_in_seconds(unpacked, params, MAX_LIMIT),
        shown=shown,
        windows=LiveWindows(unpacked, shown.row_of),
        users=BoundedCache(cache_bytes - cache_bytes // _SIMILAR_SHARE),
        similar=BoundedCache(cache_bytes // _SIMILAR_SHARE),
    )


# New items are looked at one after the other, while requests wait; the next refresh comes soon.
MAX_FORESEEN_AT_ONCE = 50
# Of a filtered model: who is shown, the places of the popular ones, and trends.
_FILTERED_BYTES_PER_ITEM = 9
# The filters of a few pages at once, and with few items those of many.
_MIN_FILTERED, _MAX_FILTERED_BYTES = 8, 64_000_000


@dataclass(frozen=True)
class Serving:
    """Model and hidden items that serve a tenant at one moment.

    Of an item that the live catalogue has, it alone says whether the item may be shown; of others
    the model does.

    Attributes:
        hidden: rows of the items that must not be shown now.
        back: rows of those that may be shown now, and were not eligible when the model was trained,
            or unknown.
        now: what follows from them.
        catalogue_number: counts the changes of the above, of titles and of prices.
        shown_again_number: that of the last change by which an item may be in a list that was made
            without it.
        refused: the version that should serve instead, and could not be loaded.
        is_lost: whether the store has lost its data, and with them what it knew of users.
        nobody: a user of whom nothing is known.
    """

    model: LoadedModel
    hidden: frozenset[int]
    back: frozenset[int]
    now: ServingModel = field(compare=False, repr=False)
    catalogue_number: int = 0
    shown_again_number: int = 0
    refused: str | None = None
    is_lost: bool = False
    nobody: CachedUser = field(default_factory=unknown_user, compare=False, repr=False)
    # Of this moment only: a change of the catalogue begins with none.
    _filtered: dict[tuple[str, ...], ServingModel] = field(
        init=False, default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def of(cls, model: LoadedModel, columns: CatalogueColumns) -> "Serving":
        """A model that was just loaded, beside the live catalogue."""
        nothing = frozenset[int]()
        now = ServingModel.of(
            model.items, model.params, catalogue=model.shown.catalogue, windows=model.windows
        )
        bare = cls(model, nothing, nothing, now)
        first = bare._following(columns, None, foreseen_at_most=None)
        return replace(first, catalogue_number=0, shown_again_number=0)

    def following(self, columns: CatalogueColumns, changed: Iterable[str] | None) -> "Serving":
        """The same with what the live catalogue says now of some items, None for all."""
        return self._following(columns, changed, MAX_FORESEEN_AT_ONCE)

    def _following(
        self,
        columns: CatalogueColumns,
        changed: Iterable[str] | None,
        foreseen_at_most: int | None,
    ) -> "Serving":
        model = self.model
        if changed is None:
            model.shown.catalogue.follow(columns)
            known = model.items.ids
            changed = chain(known, (each for each in columns if known.index_of(each) is None))
        rows = dict(_rows(model, columns, changed))
        retitled = sum([model.shown.rewrite(row) for row in rows])
        since_ms = int(model.params.as_of_ms - NEW_DAYS * MS_PER_DAY)
        is_foreseen = model.shown.foresee(since_ms, foreseen_at_most)
        if not rows and not is_foreseen:
            return self
        hidden = self.hidden.difference(rows).union(
            row for row, available in rows.items() if available is False
        )
        back = self.back.difference(rows).union(
            row for row, available in rows.items() if available and not model.is_eligible(row)
        )
        if (hidden, back) != (self.hidden, self.back) or is_foreseen:
            is_more = bool(self.hidden - hidden or back - self.back) or is_foreseen
            now = replace(self, catalogue_number=self.catalogue_number + 1)
            return now._showing(hidden, back, is_more=is_more)
        return replace(self, catalogue_number=self.catalogue_number + bool(retitled))

    def filtered(self, text: str, excluding: tuple[str, ...] = ()) -> ServingModel:
        """The model with the items that a filter lets pass; the latest filters are kept.

        Args:
            text: of the filter; empty for all items.
            excluding: filters of items to leave out.

        Raises:
            InvalidInput: for what is no filter.
        """
        key = text, *excluding
        found = self._filtered.pop(key, None)
        if found is None:
            found = self.now.where(self._mask(text, excluding))
        self._filtered[key] = found
        size = len(self.now.shown) * _FILTERED_BYTES_PER_ITEM
        if len(self._filtered) > max(_MIN_FILTERED, _MAX_FILTERED_BYTES // size):
            del self._filtered[next(iter(self._filtered))]
        return found

    def _mask(self, text: str, excluding: tuple[str, ...]) -> NDArray[np.bool_]:
        catalogue = self.now.catalogue
        mask = catalogue.passing(text) if text else np.ones(len(catalogue), np.bool_)
        for left_out in excluding:
            mask = mask & ~catalogue.passing(left_out)
        return mask

    def _showing(self, hidden: frozenset[int], back: frozenset[int], *, is_more: bool) -> "Serving":
        model, number = self.model, self.catalogue_number
        return replace(
            self,
            hidden=hidden,
            back=back,
            now=ServingModel.of(
                *(model.items, model.params, hidden, back),
                *(model.shown.catalogue, model.shown.foreseen, model.windows),
            ),
            shown_again_number=number if is_more else self.shown_again_number,
        )


def _rows(
    model: LoadedModel, columns: CatalogueColumns, item_ids: Iterable[str]
) -> Iterator[tuple[int, bool | None]]:
    """Rows of these items, and whether the catalogue has them available."""
    for item_id in item_ids:
        available = columns.is_available(item_id)
        row = model.shown.row_of(item_id)
        if row is None and available:
            row = model.shown.row_for(item_id)
        if row is not None:
            yield row, available
