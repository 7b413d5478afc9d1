"""One tenant at one moment: its model, and what its live catalogue says of the items in it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from recsys.core.catalogue import CatalogueColumns, CatalogueRow
from recsys.core.serving.model import ServingModel
from services.recommender.model.answer_cache import CachedUser, unknown_user
from services.recommender.model.loaded_model import LoadedModel


@dataclass(frozen=True)
class Serving:
    """Model and hidden items that serve a tenant at one moment.

    Of an item that the live catalogue has, it alone says whether the item may be shown; of others
    the model does.

    Attributes:
        hidden: rows of the items that must not be shown now.
        back: rows of those that may be shown now, and were not eligible when the model was trained.
        now: what follows from them.
        catalogue_number: counts the changes of the above and of titles while this model serves.
        shown_again_number: that of the last change by which an item may be shown again.
        is_lost: whether the store has lost its data, and with them what it knew of users.
        nobody: a user of whom nothing is known.
    """

    model: LoadedModel
    hidden: frozenset[int]
    back: frozenset[int]
    now: ServingModel = field(compare=False, repr=False)
    catalogue_number: int = 0
    shown_again_number: int = 0
    is_lost: bool = False
    nobody: CachedUser = field(default_factory=unknown_user, compare=False, repr=False)

    @classmethod
    def of(cls, model: LoadedModel, columns: CatalogueColumns) -> "Serving":
        """A model that was just loaded, beside the live catalogue."""
        nothing = frozenset[int]()
        bare = cls(model, nothing, nothing, ServingModel.of(model.items, model.params))
        return replace(
            bare.following(columns, model.items.ids), catalogue_number=0, shown_again_number=0
        )

    def following(self, columns: CatalogueColumns, item_ids: Iterable[str]) -> "Serving":
        """The same with what the live catalogue says now of these items; itself if no other."""
        model, rows = self.model, dict(_rows(self.model, columns, item_ids))
        retitled = sum([model.fragments.set_title(row, _title(live)) for row, live in rows.items()])
        hidden = self.hidden.difference(rows).union(
            row for row, live in rows.items() if live and not live.available
        )
        back = self.back.difference(rows).union(
            row
            for row, live in rows.items()
            if live and live.available and not model.items.eligible[row]
        )
        if not retitled and (hidden, back) == (self.hidden, self.back):
            return self
        number = self.catalogue_number + 1
        now = replace(self, catalogue_number=number)
        return now if (hidden, back) == (self.hidden, self.back) else now._showing(hidden, back)

    def _showing(self, hidden: frozenset[int], back: frozenset[int]) -> "Serving":
        is_more_shown = bool(self.hidden - hidden or back - self.back)
        model, number = self.model, self.catalogue_number
        return replace(
            self,
            hidden=hidden,
            back=back,
            now=ServingModel.of(model.items, model.params, hidden, back),
            shown_again_number=number if is_more_shown else self.shown_again_number,
        )


def _rows(
    model: LoadedModel, columns: CatalogueColumns, item_ids: Iterable[str]
) -> Iterator[tuple[int, CatalogueRow | None]]:
    """Rows of those of these items that the model knows, and what the catalogue says of them."""
    for item_id in item_ids:
        row = model.items.ids.index_of(item_id)
        if row is not None:
            yield row, columns.get(item_id)


def _title(live: CatalogueRow | None) -> str | None:
    """None where the model's title counts."""
    return None if live is None else live.title or ""
