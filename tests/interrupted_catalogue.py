"""A live catalogue that is interrupted: away, or another writer comes first."""

from collections.abc import Callable, Mapping

from recsys.core.domain import Item
from recsys.core.errors import Unavailable
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue


class InterruptedLiveCatalogue(MemoryLiveCatalogue):
    """Can be away, and can let another writer in just before it is written to."""

    away = False
    before_writing: Callable[[], object] | None = None

    def write(self, tenant: str, items: Mapping[str, Item | None]) -> list[str]:
        if self.away:
            raise Unavailable("redis", "away")
        interrupt, self.before_writing = self.before_writing, None
        if interrupt:
            interrupt()
        return super().write(tenant, items)
