"""Items as answers show them: id, title and price, by row."""

from itertools import islice

import numpy as np

from recsys.core.limits import MAX_TEXT_CHARACTERS
from recsys.core.model import ItemModel
from recsys.core.serving.added import Foreseen, foreseen
from recsys.core.serving.row_catalogue import RowCatalogue
from recsys.rpc.item_json import item_fragment


class ShownItems:
    """The items of a model, and behind them those that the live catalogue has got since.

    The JSON of each up to its score is written when first needed, then kept until the item changes.
    A row is never given to another item.

    Attributes:
        catalogue: the same items as the live catalogue has them, by row.
        foreseen: by row, what content foresees of items that the model does not know.
    """

    def __init__(self, items: ItemModel) -> None:
        self._items = items
        self._newcomers: list[str] = []
        self._newcomer_rows: dict[str, int] = {}
        self._fragments: list[bytes | None] = [None] * len(items.ids)
        self.catalogue = RowCatalogue(len(items.ids))
        self.foreseen: dict[int, Foreseen] = {}
        # Rows of which something else may be foreseen now, in the order of their changes.
        self._changed_content: dict[int, None] = {}

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
        if row >= len(self._items.ids):
            self._changed_content[row] = None
        before = self._fragments[row]
        return before is not None and self._write(row) != before

    def foresee(self, since_ms: int, at_most: int | None) -> bool:
        """Look at the content of items that came or changed; tell if something else is foreseen.

        Where more items came than the model knows, these are the shop's catalogue, and most of them
        may be what nobody wants: a nightly run will tell.

        Args:
            since_ms: nothing is foreseen of items that arrived before.
            at_most: of so many items; the others have their turn next time.
        """
        if len(self._newcomers) > len(self._items.ids):
            return False
        is_other = False
        for row in list(islice(self._changed_content, at_most)):
            del self._changed_content[row]
            before, now = self.foreseen.pop(row, None), self._foreseen(row, since_ms)
            if now is not None:
                self.foreseen[row] = now
            is_other |= not _is_same(before, now)
        return is_other

    def _foreseen(self, row: int, since_ms: int) -> Foreseen | None:
        content = self.catalogue.at(row)
        if content is None or (content.created_ms is not None and content.created_ms < since_ms):
            return None
        return foreseen(self._items, content)

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


def _is_same(before: Foreseen | None, now: Foreseen | None) -> bool:
    if before is None or now is None:
        return before is now
    return all(map(np.array_equal, before, now))
