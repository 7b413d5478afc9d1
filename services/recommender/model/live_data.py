"""Follow the purchases of a tenant: those since its model's behaviour was read, then what comes."""

import asyncio
import time
from collections.abc import Callable

from recsys.core.ports import ServingStore
from services.recommender.model.loaded_model import LoadedModel

_LOOK_SECONDS = 1.0
# Windows are put in order again as often as this, and where a shop has so many items that it takes
# a while, so seldom that it costs no more than a fiftieth of a core.
_RENEW_SECONDS = 5.0
_RESTS_PER_RENEWAL = 50


class PurchaseFollower:
    """Keeps the windows of one tenant's model up to date.

    Args:
        clock: monotonic seconds.
    """

    def __init__(
        self, store: ServingStore, tenant: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._tenant = tenant
        self._clock = clock
        self._model: LoadedModel | None = None
        self._position: int | str = 0
        self._look_at = 0.0
        self._renew_at = 0.0

    async def refresh(self, model: LoadedModel) -> None:
        """Count what was bought since the last time, or since another model's behaviour was read.

        Raises:
            Unavailable: the store does not answer; the windows are as they were, or nearly now.
        """
        if model is not self._model:
            # Whatever the new one counts, or the one before would stay in memory.
            self._model, self._position = model, model.params.read_at_ms
            self._look_at = self._renew_at = self._clock()
        if not model.items.windows or self._clock() < self._look_at:
            return
        self._look_at = self._clock() + _LOOK_SECONDS
        await self._read(model)
        if model.windows.is_stale and self._clock() >= self._renew_at:
            begun = self._clock()
            await asyncio.to_thread(model.windows.renew)
            took = self._clock() - begun
            self._renew_at = self._clock() + max(_RENEW_SECONDS, _RESTS_PER_RENEWAL * took)

    async def _read(self, model: LoadedModel) -> None:
        while True:
            self._position, found = await self._store.purchases(self._tenant, self._position)
            if not found:
                return
            model.windows.add(found)
