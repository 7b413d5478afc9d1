"""Purchases of the last days, in memory."""

from collections import defaultdict
from collections.abc import Sequence

from recsys.clock import utc_now_ms
from recsys.core.purchases import Purchase


class MemoryPurchaseLog:
    """`PurchaseLog` that lasts as long as the process."""

    def __init__(self) -> None:
        self._entries: defaultdict[str, list[tuple[int, Purchase]]] = defaultdict(list)

    def append(self, tenant: str, purchases: Sequence[Purchase]) -> None:
        self._entries[tenant] += [(utc_now_ms(), purchase) for purchase in purchases]

    def since(self, tenant: str, after: int | str) -> tuple[str, list[Purchase]]:
        """Purchases from a moment on, or after a position; and the position of the last one."""
        entries = self._entries[tenant]
        if isinstance(after, str):
            return str(len(entries)), [each for _, each in entries[int(after) :]]
        return str(len(entries)), [each for at_ms, each in entries if at_ms >= after]
