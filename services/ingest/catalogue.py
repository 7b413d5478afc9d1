"""Changing the catalogue, so that an item that cannot be bought is not recommended."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from recsys.core.domain import Item
from recsys.core.errors import FieldProblem, InvalidInput, NotFound
from recsys.core.ports import HiddenItems, ItemStore

PATCHABLE = ("title", "categories", "brand", "price", "available", "attributes")


class Catalogue:
    """Items, durable first, then visible to serving.

    Every write may raise Unavailable, also when only the second half failed: saying "done" while a
    sold-out item is still recommended would be wrong, and the same write again is safe.
    """

    def __init__(self, items: ItemStore, hidden: HiddenItems) -> None:
        self._items = items
        self._hidden = hidden

    def put(self, tenant: str, item: Item) -> Item:
        """Create an item, or replace the one of this id."""
        self._items.put(tenant, [item])
        self._follow_availability(tenant, item.item_id)
        return item

    def get(self, tenant: str, item_id: str) -> Item:
        """The item.

        Raises:
            NotFound: when the catalogue has none of this id.
        """
        item = self._items.get(tenant, item_id)
        if item is None:
            raise NotFound("the catalogue has no item of this id")
        return item

    def patch(self, tenant: str, item_id: str, changes: Mapping[str, Any]) -> Item:
        """Replace the fields in `changes`, each as a whole, and leave the others.

        Of two patches at the same moment the last one to be written wins with all its fields, also
        those it read before the other wrote.

        Raises:
            InvalidInput: no change, an unknown field or a value that breaks a rule.
            NotFound: when the catalogue has none of this id.
        """
        unknown = [name for name in changes if name not in PATCHABLE]
        if unknown or not changes:
            raise InvalidInput(_patch_problems(unknown))
        return self.put(tenant, replace(self.get(tenant, item_id), **changes))

    def delete(self, tenant: str, item_id: str) -> None:
        """Remove an item; one that is not there is no error."""
        self._items.delete(tenant, item_id)
        self._follow_availability(tenant, item_id)

    def _follow_availability(self, tenant: str, item_id: str) -> None:
        """Hide or show the item as the durable catalogue says.

        It is asked again after the change: when two writers of one item overlap, the one that
        finishes last sees the other's durable write and corrects what it did.
        """
        done: bool | None = None
        while done != (available := self._is_available(tenant, item_id)):
            change = self._hidden.show if available else self._hidden.hide
            change(tenant, item_id)
            done = available

    def _is_available(self, tenant: str, item_id: str) -> bool:
        item = self._items.get(tenant, item_id)
        return item is not None and item.available


def _patch_problems(unknown: list[str]) -> list[FieldProblem]:
    reason = f"is not one of: {', '.join(PATCHABLE)}"
    if not unknown:
        return [FieldProblem("update_mask", "names no field")]
    return [FieldProblem(name, reason) for name in unknown]
