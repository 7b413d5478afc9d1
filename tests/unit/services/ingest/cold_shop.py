"""A shop without a model, over stores in memory."""

from recsys.stores.memory.early_popularity import MemoryEarlyPopularity
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from recsys.stores.memory.published import MemoryPublishedModels
from recsys.stores.memory.recent import MemoryRecentBehaviour
from services.ingest.cold_start import ColdStart
from tests.builders import EVENT_TYPES


class ColdShop:
    """The cold start of a shop, whose clock the test sets."""

    def __init__(self, recent: MemoryRecentBehaviour | None = None) -> None:
        self.published = MemoryPublishedModels()
        self.popularity = MemoryEarlyPopularity()
        self.recent = recent or MemoryRecentBehaviour(lambda _: EVENT_TYPES)
        self.items = MemoryItemStore()
        self.live = MemoryLiveCatalogue()
        self.now = 0.0
        self.cold_start = ColdStart(
            self.published,
            self.popularity,
            self.recent,
            self.items,
            self.live,
            lambda _: EVENT_TYPES,
            clock=lambda: self.now,
            now_ms=lambda: 10**12 + int(1000 * self.now),
        )
