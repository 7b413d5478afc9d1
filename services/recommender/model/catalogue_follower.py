"""Follow the live catalogue of a tenant: read it once, then what changes in it."""

from collections.abc import Callable, Iterable

import structlog

from recsys.clock import utc_now_ms
from recsys.core.catalogue import CatalogueColumns
from recsys.core.ports import ServingStore

_log = structlog.get_logger()


class CatalogueFollower:
    """Keeps the live catalogue of one tenant in memory.

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
