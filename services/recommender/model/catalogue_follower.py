"""Follow the live catalogue of a tenant: read it once, then what changes in it."""

from collections.abc import Iterable

import structlog

from recsys.core.catalogue import CatalogueColumns
from recsys.core.ports import ServingStore

_log = structlog.get_logger()


class CatalogueFollower:
    """Keeps the live catalogue of one tenant in memory.

    Attributes:
        columns: as it was at the last refresh; replaced as a whole when it was read as a whole.
    """

    def __init__(self, store: ServingStore, tenant: str) -> None:
        self._store = store
        self._tenant = tenant
        self._position: str | None = None
        self._was_read = False
        # In the order in which they changed.
        self._changed: dict[str, None] = {}
        self.columns = CatalogueColumns()

    async def refresh(self) -> Iterable[str] | None:
        """Take in what has changed; return the ids of these items, or None where any may have.

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
        self.columns, self._position, self._was_read = columns, position, True
        self._changed.clear()
        return None
