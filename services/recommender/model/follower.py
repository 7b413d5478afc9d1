"""Follow the pointer of each tenant: load what it names beside what serves, then swap."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import structlog

from recsys.core.domain import checked_tenant
from recsys.core.errors import InvalidModel, NoModel, NotSetUp, Unavailable
from recsys.core.ports import ServingStore
from recsys.runtime.gc import give_memory_back
from recsys.runtime.metrics import Metrics
from services.recommender.model.live_data import CatalogueFollower, PurchaseFollower
from services.recommender.model.serving import Serving, load_model

POLL_SECONDS = 0.25
# A version that was refused is looked at again after this long: it may have been published anew.
REFUSED_SECONDS = 5.0

_log = structlog.get_logger()


class ModelFollower:
    """Keeps the current model of each tenant in memory.

    Args:
        cache_bytes: see `load_model`; for each tenant.

    Attributes:
        on_change: called after something that answers are made from has changed.
        on_model_loaded: called with a tenant that has a model, whenever it is another one.
    """

    def __init__(
        self,
        store: ServingStore,
        tenants: Sequence[str],
        cache_bytes: int,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._cache_bytes = cache_bytes
        self._metrics = metrics
        self._clock = clock
        self.on_change: Callable[[], None] = _nobody_listens
        self.on_model_loaded: Callable[[str], Awaitable[None]] = _nobody_waits
        self._serving: dict[str, Serving | None] = dict.fromkeys(tenants)
        self._catalogues = {tenant: CatalogueFollower(store, tenant) for tenant in tenants}
        self._purchases = {tenant: PurchaseFollower(store, tenant, clock) for tenant in tenants}
        self._refused: dict[str, tuple[str, float]] = {}
        self._has_swapped = False

    def serving(self, tenant: str) -> Serving:
        """Get what serves a tenant now.

        Raises:
            InvalidInput: for a name that no tenant can have.
            NotSetUp: for a tenant this process does not serve.
            NoModel: before the tenant's first model is loaded.
        """
        try:
            serving = self._serving[tenant]
        except KeyError:
            raise NotSetUp(
                f"this recommender does not serve tenant {checked_tenant(tenant)}: "
                "add it to RECSYS_TENANTS"
            ) from None
        if serving is None and tenant in self._refused:
            raise NoModel("the model cannot be loaded by this release: see `recsys models list`")
        if serving is None:
            raise NoModel("no model yet: run `recsys nightly`")
        return serving

    def tenants_without_model(self) -> list[str]:
        return [tenant for tenant, serving in self._serving.items() if serving is None]

    def current(self) -> dict[str, Serving]:
        """Get what serves each tenant that has a model."""
        return {tenant: serving for tenant, serving in self._serving.items() if serving}

    async def follow(self) -> None:
        """Look again and again, for ever; a store that is away is waited for."""
        while True:
            try:
                await self.refresh()
            except Unavailable as error:
                _log.warning("pointer_unreadable", reason=str(error))
            await asyncio.sleep(POLL_SECONDS)
            self._clean_up()

    async def refresh(self) -> None:
        """Look once at every tenant.

        Raises:
            Unavailable: when the store does not answer; what served goes on serving.
        """
        for tenant in self._serving:
            version = await self._store.current(tenant)
            self._metrics.model_published[tenant].set(version is not None)
            self._notice_loss(tenant, is_lost=version is None)
            # What must not be shown was lost, too: better the last that is known than nothing.
            if version is not None:
                # Before a model serves, so that no answer is made of it alone.
                changed = await self._catalogues[tenant].refresh()
                await self._refresh_model(tenant, version)
                self._follow_catalogue(tenant, changed)
                if serving := self._serving[tenant]:
                    await self._purchases[tenant].refresh(serving.model)

    def _clean_up(self) -> None:
        """After a swap, once requests that began before it have let go of the old model."""
        if self._has_swapped:
            self._has_swapped = False
            give_memory_back()

    async def _refresh_model(self, tenant: str, version: str) -> None:
        serving = self._serving[tenant]
        if serving and serving.model.version == version:
            self._note_refused(tenant, None)
            return
        if self._was_refused(tenant, version):
            return
        try:
            parts = await self._store.item_model(tenant, version)
            model = await asyncio.to_thread(load_model, *parts, self._cache_bytes)
        except InvalidModel as error:
            self._refused[tenant] = (version, self._clock())
            self._metrics.model_refused[tenant].inc()
            _log.error("model_refused", tenant=tenant, version=version, reason=str(error))
            self._note_refused(tenant, version)
            return
        columns = self._catalogues[tenant].columns
        self._serving[tenant] = await asyncio.to_thread(Serving.of, model, columns)
        self.on_change()
        self._has_swapped = True
        self._metrics.model_loaded[tenant].set_to_current_time()
        self._metrics.model_data[tenant].set(model.params.read_at_ms / 1000)
        _log.info("model_loaded", tenant=tenant, version=version, items=len(model.items.ids))
        await self.on_model_loaded(tenant)

    def _notice_loss(self, tenant: str, *, is_lost: bool) -> None:
        """A pointer that is gone means an emptied store; the model goes on serving."""
        serving = self._serving[tenant]
        if serving is None or serving.is_lost == is_lost:
            return
        self._serving[tenant] = replace(serving, is_lost=is_lost)
        if is_lost:
            _log.error("store_emptied", tenant=tenant, remedy="recsys rebuild")
        else:
            _log.info("store_filled_again", tenant=tenant)

    def _note_refused(self, tenant: str, version: str | None) -> None:
        """Let gateways know, for whoever asks whether all is well."""
        serving = self._serving[tenant]
        if serving and serving.refused != version:
            self._serving[tenant] = replace(serving, refused=version)
            self.on_change()

    def _was_refused(self, tenant: str, version: str) -> bool:
        refused, at = self._refused.get(tenant, ("", 0.0))
        return refused == version and self._clock() - at < REFUSED_SECONDS

    def _follow_catalogue(self, tenant: str, changed: Iterable[str] | None) -> None:
        """Take over what the live catalogue says of items that changed, None for all."""
        serving = self._serving[tenant]
        if serving is None:
            return
        now = serving.following(self._catalogues[tenant].columns, changed)
        if now is not serving:
            self._serving[tenant] = now
            self.on_change()


def _nobody_listens() -> None:
    """Until somebody does."""


async def _nobody_waits(_: str) -> None:
    """Until somebody does."""
