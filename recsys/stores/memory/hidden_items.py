"""Hidden items in memory."""

from collections import defaultdict
from collections.abc import Sequence


class MemoryHiddenItems:
    """`HiddenItems` that lasts as long as the process."""

    def __init__(self) -> None:
        self._hidden: defaultdict[str, set[str]] = defaultdict(set)

    def hide(self, tenant: str, item_id: str) -> None:
        self._hidden[tenant].add(item_id)

    def show(self, tenant: str, item_id: str) -> None:
        self._hidden[tenant].discard(item_id)

    def hidden(self, tenant: str, item_ids: Sequence[str]) -> set[str]:
        return self._hidden[tenant].intersection(item_ids)

    def of_tenant(self, tenant: str) -> set[str]:
        """Ids of the items hidden now."""
        return set(self._hidden[tenant])
