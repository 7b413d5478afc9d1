"""Items as answers show them: id, title and price, by row."""

from recsys.core.limits import MAX_TEXT_CHARACTERS
from recsys.core.model import ItemModel
from recsys.core.serving.row_catalogue import RowCatalogue
from recsys.rpc.item_json import item_fragment


class ShownItems:
    """The items of a model, and behind them those that the live catalogue has got since.

    The JSON of each up to its score is written when first needed, then kept until the item changes.
    A row is never given to another item.

    Attributes:
        catalogue: the same items as the live catalogue has them, by row.
    """

    def __init__(self, items: ItemModel) -> None:
        self._items = items
        self._newcomers: list[str] = []
        self._newcomer_rows: dict[str, int] = {}
        self._fragments: list[bytes | None] = [None] * len(items.ids)
        self.catalogue = RowCatalogue(len(items.ids))

    @property
    def newcomers(self) -> list[str]:
        """Ids of the items that the model does not know, in the order of their rows."""
        return self._newcomers

    def row_for(self, item_id: str) -> int:
        """The row of an item, a new one for an item that has none yet."""
        row = self.row_of(item_id)
        if row is None:
            row = self._newcomer_rows[item_id] = len(self._fragments)
            self._newcomers.append(item_id)
            self._fragments.append(None)
            self.catalogue.append()
        return row

    def rewrite(self, row: int) -> bool:
        """Take over what the live catalogue says of an item now; tell if answers show other text.

        There is no answer with an item whose JSON has never been written.
        """
        self.catalogue.place(row, self.id_of(row))
        before = self._fragments[row]
        return before is not None and self._write(row) != before

    def row_of(self, item_id: str) -> int | None:
        """The row of an item; None for one that neither model nor catalogue has had."""
        row = self._items.ids.index_of(item_id)
        return self._newcomer_rows.get(item_id) if row is None else row

    def id_of(self, row: int) -> str:
        n = len(self._items.ids)
        return self._items.ids.id_of(row) if row < n else self._newcomers[row - n]

    def title_of(self, row: int) -> str:
        """Cut where the catalogue's own limit was not kept, or one item could outgrow a message."""
        known = self.catalogue.knows(row)
        title = self.catalogue.title(row) or "" if known else self._items.titles[row]
        return title[:MAX_TEXT_CHARACTERS]

    def price_of(self, row: int) -> float | None:
        return self.catalogue.price(row)

    def fragment_of(self, row: int) -> bytes:
        """The beginning of its JSON, up to its score."""
        return self._fragments[row] or self._write(row)

    def _write(self, row: int) -> bytes:
        title = self.title_of(row) or None
        fragment = item_fragment(self.id_of(row), title, self.price_of(row))
        self._fragments[row] = fragment
        return fragment
