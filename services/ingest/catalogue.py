"""Changing the catalogue, and with it what is recommended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recsys.clock import utc_now_ms
from recsys.core.conditions import ALWAYS, Condition
from recsys.core.domain import Item, revision_of, with_create_time
from recsys.core.errors import (
    FieldProblem,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    QuotaExceeded,
    Unavailable,
)
from recsys.core.live_catalogue import copy_items
from recsys.core.ports import ItemStore, LiveCatalogue
from recsys.core.quotas import QuotasOf, shipped_quotas

PATCHABLE = (
    *("title", "categories", "brand", "price", "available", "attributes"),
    *("quantity", "tags", "list_price", "publish_ms", "expire_ms", "created_ms"),
)
# Of writers that meet one always gets through, so with fewer than this many nobody gives up.
_MAX_ATTEMPTS = 100


class Catalogue:
    """Items, durable first, then where answers are made.

    Every write may raise Unavailable, also when only the second half failed: saying "done" while a
    sold-out item is still recommended would be wrong, and the same write again is safe.
    """

    def __init__(
        self,
        items: ItemStore,
        live: LiveCatalogue,
        quotas_of: QuotasOf = shipped_quotas,
        now_ms: Callable[[], int] = utc_now_ms,
    ) -> None:
        self._items = items
        self._live = live
        self._quotas_of = quotas_of
        self._now_ms = now_ms

    def put(self, tenant: str, item: Item, condition: Condition = ALWAYS) -> Item:
        """Create an item, or replace the one of this id.

        Raises:
            PreconditionFailed: the condition does not hold.
            QuotaExceeded: the catalogue would be larger than it may be.
        """
        return _existing(self._replace(tenant, item.item_id, condition, lambda _: item))

    def put_many(self, tenant: str, items: Sequence[Item]) -> None:
        """Create items, or replace those of the same ids. All are durable when this returns.

        Args:
            items: each of another id.

        Raises:
            QuotaExceeded: the catalogue would be larger than it may be; none is stored.
        """
        ids = [item.item_id for item in items]
        current = self._items.find(tenant, ids)
        now_ms = self._now_ms()
        wanted = [with_create_time(item, current.get(item.item_id), now_ms) for item in items]
        growth = sum(item.size - _size(current.get(item.item_id)) for item in wanted)
        self._check_room(tenant, growth)
        self._items.put(tenant, wanted)
        copy_items(self._items, self._live, tenant, ids)

    def get(self, tenant: str, item_id: str) -> Item:
        """The item.

        Raises:
            NotFound: when the catalogue has none of this id.
        """
        return _existing(self._items.get(tenant, item_id))

    def patch(
        self,
        tenant: str,
        item_id: str,
        changes: Mapping[str, Any],
        condition: Condition = ALWAYS,
    ) -> Item:
        """Replace the fields in `changes`, each as a whole, and leave the others.

        Patches of different fields at the same moment both take effect.

        Raises:
            InvalidInput: no change, an unknown field or a value that breaks a rule.
            NotFound: when the catalogue has none of this id.
            PreconditionFailed: the condition does not hold.
            QuotaExceeded: the catalogue would be larger than it may be.
        """
        unknown = [name for name in changes if name not in PATCHABLE]
        if unknown or not changes:
            raise InvalidInput(_patch_problems(unknown))

        def patched(current: Item | None) -> Item:
            return replace(_existing(current), **changes)

        return _existing(self._replace(tenant, item_id, condition, patched))

    def delete(self, tenant: str, item_id: str, condition: Condition = ALWAYS) -> None:
        """Remove an item; one that is not there is no error.

        Raises:
            PreconditionFailed: the condition does not hold.
        """
        self._replace(tenant, item_id, condition, lambda _: None)

    def _replace(
        self,
        tenant: str,
        item_id: str,
        condition: Condition,
        change: Callable[[Item | None], Item | None],
    ) -> Item | None:
        """Store what `change` makes of an item; once more from the start if another was faster."""
        for _ in range(_MAX_ATTEMPTS):
            current = self._items.get(tenant, item_id)
            wanted = change(current)
            if wanted is not None:
                wanted = with_create_time(wanted, current, self._now_ms())
            if not condition.holds(revision_of(current)):
                raise PreconditionFailed("the item is not as the request says it must be")
            self._check_room(tenant, _size(wanted) - _size(current))
            if current is wanted is None:
                # Mends what a removal that failed half-way left; of what never was, nothing is.
                copy_items(self._items, self._live, tenant, self._live.known(tenant, [item_id]))
                return None
            if self._items.replace(tenant, item_id, current, wanted):
                copy_items(self._items, self._live, tenant, [item_id])
                return wanted
        raise Unavailable("catalogue", "too many others change this item at this moment")

    def _check_room(self, tenant: str, growth: int) -> None:
        """Refuse what grows; whatever hides an item or makes it smaller is always taken."""
        quota = self._quotas_of(tenant).catalogue_bytes
        if growth > 0 and self._live.size(tenant) + growth > quota:
            reason = f"the catalogue may take {quota // 1024**2} MiB: remove items, or ask for more"
            raise QuotaExceeded(reason)


def _size(item: Item | None) -> int:
    return 0 if item is None else item.size


def _existing(item: Item | None) -> Item:
    if item is None:
        raise NotFound("the catalogue has no item of this id")
    return item


def _patch_problems(unknown: list[str]) -> list[FieldProblem]:
    reason = f"is not one of: {', '.join(PATCHABLE)}"
    if not unknown:
        return [FieldProblem("update_mask", "names no field")]
    return [FieldProblem(name, reason) for name in unknown]
