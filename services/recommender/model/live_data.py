"""Follow what changes in the store while a model serves: the live catalogue, and purchases."""

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from recsys.clock import utc_now_ms
from recsys.core.catalogue import CatalogueColumns
from recsys.core.ports import ServingStore
from services.recommender.model.serving import LoadedModel

_log = structlog.get_logger()


class CatalogueFollower:
    """Keeps the live catalogue of one tenant in memory: read once, then what changes in it.

    Args:
        now_ms: UTC milliseconds since 1970, by which items are published and expire.

    Attributes:
        columns: as it was at the last refresh; replaced as a whole when it was read as a whole.
    """

    def __init__(
        self, store: ServingStore, tenant: str, now_ms: Callable[[], int] = utc_now_ms
    ) -> None:
        self._now_ms = now_ms
        self._store = store
        self._tenant = tenant
        self._position: str | None = None
        self._was_read = False
        # In the order in which they changed.
        self._changed: dict[str, None] = {}
        self.columns = CatalogueColumns()

    async def refresh(self) -> Iterable[str] | None:
        """Take in what has changed, by the catalogue's log and by the time.

        Returns:
            The ids of these items, or None where any may have changed.

        Raises:
            Unavailable: the store does not answer; the columns are as before, or nearly up to date.
        """
        if not self._was_read:
            return await self._read_whole()
        while True:
            changes = await self._store.catalogue_changes(self._tenant, self._position)
            if changes is None:
                if self._position is not None:
                    # Emptied and filled again, or more has changed than the log holds.
                    _log.warning("catalogue_log_lost", tenant=self._tenant, remedy="read it whole")
                return await self._read_whole()
            if not changes.rows:
                # What turns with the time alone.
                self._changed.update(dict.fromkeys(self.columns.turn(self._now_ms())))
                changed, self._changed = self._changed, {}
                return changed
            self.columns.update(changes.rows)
            self._position = changes.position
            # Told of only at the end: should the store go away meanwhile, next time.
            self._changed.update(dict.fromkeys(changes.rows))

    async def _read_whole(self) -> Iterable[str] | None:
        # Asked first: what changes while it is read stands behind it in the log.
        position = await self._store.catalogue_position(self._tenant)
        columns = CatalogueColumns()
        async for rows in self._store.catalogue(self._tenant):
            columns.update(rows)
        if await self._store.current(self._tenant) is None:
            # The store has just been emptied: better the last that is known than nothing.
            return ()
        columns.turn(self._now_ms())
        self.columns, self._position, self._was_read = columns, position, True
        self._changed.clear()
        return None


_LOOK_SECONDS = 1.0
# Windows are put in order again as often as this, and where a shop has so many items that it takes
# a while, so seldom that it costs no more than a fiftieth of a core.
_RENEW_SECONDS = 5.0
_RESTS_PER_RENEWAL = 50


class PurchaseFollower:
    """Keeps the windows of one tenant's model up to date, by purchases since its data were read.

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
