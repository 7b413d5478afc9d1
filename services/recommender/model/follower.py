"""Follow the pointer of each tenant: load what it names beside what serves, then swap."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from recsys.core.domain import checked_tenant
from recsys.core.errors import InvalidModel, NoModel, NotSetUp, Unavailable
from recsys.core.ports import ServingStore
from recsys.core.serving.candidates import EligibleItems
from recsys.runtime.gc import give_memory_back
from recsys.runtime.metrics import Metrics
from services.recommender.model.answer_cache import CachedUser, unknown_user
from services.recommender.model.loaded_model import LoadedModel, load_model

POLL_SECONDS = 0.25
# A version that was refused is looked at again after this long: it may have been published anew.
REFUSED_SECONDS = 5.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class Serving:
    """What a tenant's answers are made from at one moment.

    Attributes:
        hidden: rows of the items that must not be shown now.
        eligible: all others that can be recommended.
        hidden_number: counts the changes of `hidden` while this model serves.
        shown_again_number: that of the last change by which an item was hidden no longer.
        is_lost: whether the store has lost its data, and with them what it knew of shoppers.
        nobody: a shopper of whom nothing is known.
    """

    model: LoadedModel
    hidden_ids: frozenset[str]
    hidden: frozenset[int]
    eligible: EligibleItems = field(compare=False, repr=False)
    hidden_number: int = 0
    shown_again_number: int = 0
    is_lost: bool = False
    nobody: CachedUser = field(default_factory=unknown_user, compare=False, repr=False)

    @classmethod
    def of(cls, model: LoadedModel, hidden_ids: frozenset[str]) -> "Serving":
        """A model with these items hidden."""
        hidden = model.rows_of(hidden_ids)
        return cls(model, hidden_ids, hidden, EligibleItems.of(model.items, hidden))

    def hiding(self, hidden_ids: frozenset[str]) -> "Serving":
        """The same with other hidden items."""
        number, now = self.hidden_number + 1, Serving.of(self.model, hidden_ids)
        return replace(
            self,
            hidden_ids=hidden_ids,
            hidden=now.hidden,
            eligible=now.eligible,
            hidden_number=number,
            shown_again_number=self.shown_again_number if self.hidden <= now.hidden else number,
        )


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
        self._hidden_seen: dict[str, Hashable] = {}
        self._refused: dict[str, tuple[str, float]] = {}
        self._has_swapped = False

    def serving(self, tenant: str) -> Serving:
        """What serves a tenant now.

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
        if serving is None:
            raise NoModel("no model yet: run `recsys nightly`")
        return serving

    def tenants_without_model(self) -> list[str]:
        return [tenant for tenant, serving in self._serving.items() if serving is None]

    def current(self) -> dict[str, Serving]:
        """What serves each tenant that has a model."""
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
            await self._refresh_model(tenant)
            await self._refresh_hidden(tenant)

    def _clean_up(self) -> None:
        """After a swap, once requests that began before it have let go of the old model."""
        if self._has_swapped:
            self._has_swapped = False
            give_memory_back()

    async def _refresh_model(self, tenant: str) -> None:
        version = await self._store.current(tenant)
        self._notice_loss(tenant, is_lost=version is None)
        serving = self._serving[tenant]
        if version is None or (serving and serving.model.version == version):
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
            return
        hidden_ids = serving.hidden_ids if serving else frozenset[str]()
        self._serving[tenant] = Serving.of(model, hidden_ids)
        self.on_change()
        self._has_swapped = True
        self._metrics.model_loaded[tenant].set_to_current_time()
        _log.info("model_loaded", tenant=tenant, version=version, items=len(model.items.ids))
        await self.on_model_loaded(tenant)

    def _notice_loss(self, tenant: str, *, is_lost: bool) -> None:
        """A pointer that is gone means an emptied store; the model goes on serving."""
        serving = self._serving[tenant]
        if serving is None or serving.is_lost == is_lost:
            return
        self._serving[tenant] = replace(serving, is_lost=is_lost)
        # Of a store that was filled anew, nothing seen before tells whether it has changed.
        self._hidden_seen.pop(tenant, None)
        if is_lost:
            _log.error("store_emptied", tenant=tenant, remedy="recsys rebuild")
        else:
            _log.info("store_filled_again", tenant=tenant)

    def _was_refused(self, tenant: str, version: str) -> bool:
        refused, at = self._refused.get(tenant, ("", 0.0))
        return refused == version and self._clock() - at < REFUSED_SECONDS

    async def _refresh_hidden(self, tenant: str) -> None:
        serving = self._serving[tenant]
        if serving is None or serving.is_lost:
            # What must not be shown was lost, too: better the last that is known than nothing.
            return
        # Asked before the set is read: a change between the two is seen next time.
        changes = await self._store.hidden_changes(tenant)
        if tenant in self._hidden_seen and self._hidden_seen[tenant] == changes:
            return
        hidden_ids = frozenset(await self._store.hidden(tenant))
        if await self._store.current(tenant) is None:
            return
        self._hidden_seen[tenant] = changes
        if hidden_ids != serving.hidden_ids:
            self._serving[tenant] = serving.hiding(hidden_ids)
            self.on_change()


def _nobody_listens() -> None:
    """Until somebody does."""


async def _nobody_waits(_: str) -> None:
    """Until somebody does."""
