"""Published versions and what serving reads of them, in memory."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from recsys.core.behaviour import RecentEvents, StoredUser
from recsys.core.catalogue import CatalogueChanges, CatalogueRow
from recsys.core.errors import InvalidModel, LockLost
from recsys.core.ports import PointerGuard, ReadUser, UserLookup
from recsys.core.purchases import Purchase
from recsys.core.user_batch import UserBatch
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from recsys.stores.memory.purchases import MemoryPurchaseLog
from recsys.stores.memory.recent import MemoryRecentBehaviour


class MemoryPublishedModels:
    """`PublishedModels` that last as long as the process."""

    def __init__(self) -> None:
        self.pointers: dict[str, str] = {}
        self.lock_tokens: dict[str, str] = {}
        self.complete: set[tuple[str, str]] = set()
        self.item_models: dict[tuple[str, str], tuple[bytes, bytes]] = {}
        self.erased: Counter[tuple[str, str]] = Counter()
        self.users: defaultdict[tuple[str, str], dict[str, StoredUser]] = defaultdict(dict)

    def current(self, tenant: str) -> str | None:
        return self.pointers.get(tenant)

    def write_items(self, tenant: str, version: str, manifest: bytes, items: bytes) -> None:
        self.item_models[tenant, version] = (manifest, items)

    def write_users(self, tenant: str, version: str, batch: UserBatch) -> None:
        written = self.users[tenant, version]
        written.update((name, batch.user(row)) for row, name in enumerate(batch.user_ids))

    def count_users(self, tenant: str, version: str, user_ids: Sequence[str]) -> int:
        written = self.users[tenant, version]
        return sum(user_id in written for user_id in user_ids)

    def erase_user(self, tenant: str, user_id: str, version: str | None = None) -> None:
        records = tenant, version or self.current(tenant) or ""
        if self.users[records].pop(user_id, None) is not None:
            self.erased[records] += 1

    def erased_users(self, tenant: str, version: str) -> int:
        return self.erased[tenant, version]

    def items_size(self, tenant: str, version: str) -> int:
        return len(self.item_models.get((tenant, version), (b"", b""))[1])

    def activate(self, tenant: str, version: str, guard: PointerGuard | None = None) -> None:
        if guard and self.lock_tokens.get(tenant) != guard.lock_token:
            raise LockLost(f"another run holds the lock: {version} does not serve")
        if guard and self.current(tenant) != guard.replaces:
            raise LockLost(f"another version serves now: {version} does not serve")
        self.pointers[tenant] = version

    def mark_complete(self, tenant: str, version: str) -> None:
        self.erased.pop((tenant, version), None)
        self.complete.add((tenant, version))

    def reactivate(self, tenant: str, version: str) -> bool:
        if (tenant, version) not in self.complete:
            return False
        self.pointers[tenant] = version
        return True

    def retire(self, tenant: str, keep: Collection[str]) -> int:
        kept = {*keep, self.current(tenant)}
        names = self.item_models.keys() | self.users.keys() | self.complete
        removed = 0
        for name in [(t, v) for t, v in names if t == tenant and v not in kept]:
            self.complete.discard(name)
            self.erased.pop(name, None)
            removed += len(self.users.pop(name, {})) + len(self.item_models.pop(name, ()))
        return removed


class MemoryServingStore:
    """`ServingStore` over the other twins."""

    def __init__(
        self,
        published: MemoryPublishedModels,
        recent: MemoryRecentBehaviour,
        live: MemoryLiveCatalogue,
        purchases: MemoryPurchaseLog,
    ) -> None:
        self._published = published
        self._recent = recent
        self._live = live
        self._purchases = purchases

    async def current(self, tenant: str) -> str | None:
        return self._published.current(tenant)

    async def item_model(self, tenant: str, version: str) -> tuple[bytes, bytes]:
        try:
            return self._published.item_models[tenant, version]
        except KeyError:
            raise InvalidModel(f"model {version} of {tenant} was not published") from None

    async def catalogue_position(self, tenant: str) -> str | None:
        return next(reversed(self._live.log[tenant]), None)

    async def catalogue(self, tenant: str) -> AsyncIterator[Mapping[str, CatalogueRow]]:
        yield self._live.rows(tenant)

    async def catalogue_changes(self, tenant: str, after: str | None) -> CatalogueChanges | None:
        log, rows = self._live.log[tenant], self._live.rows(tenant)
        if after not in log:
            return None if log or after else CatalogueChanges(None, {})
        positions = list(log)
        new = positions[positions.index(after) + 1 :]
        return CatalogueChanges(positions[-1], {log[each]: rows[log[each]] for each in new})

    async def purchases(self, tenant: str, after: int | str) -> tuple[str, list[Purchase]]:
        return self._purchases.since(tenant, after)

    async def users(self, wanted: Sequence[UserLookup]) -> list[ReadUser]:
        return [self._user(user) for user in wanted]

    def _user(self, wanted: UserLookup) -> ReadUser:
        written = self._published.users[wanted.tenant, wanted.version]
        stored = written.get(wanted.user_id) if wanted.with_record else None
        events = tuple(self._recent.of_user(wanted.tenant, wanted.user_id))
        shown = self._recent.impressions(wanted.tenant, wanted.user_id)
        impressions = shown if wanted.with_impressions else ()
        return ReadUser(stored, RecentEvents(events, list), impressions=impressions)
