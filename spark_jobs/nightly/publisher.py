"""A version of the model store into Redis: all its keys first, then one pointer move."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from pyspark.sql import SparkSession

from recsys.core.errors import InvalidModel, LockLost, NotFound, Unavailable
from recsys.core.live_catalogue import copy_catalogue
from recsys.core.model import ItemModel
from recsys.core.ports import ItemStore, LiveCatalogue, PointerGuard, PublishedModels
from recsys.core.wording import pluralize
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import unpack_items
from recsys.stores.model_files import ModelFiles
from recsys.stores.redis.connect import connect
from recsys.stores.redis.lock import HeldLock
from recsys.stores.redis.room import Eviction, Room, eviction, room_beside
from spark_jobs.nightly.forgotten_users import erase_forgotten
from spark_jobs.nightly.publish_recommendations import publish_users
from spark_jobs.settings import BatchSettings

# A week of nights but for two; each may take gigabytes.
MODELS_KEPT = 5


@dataclass(frozen=True)
class Publisher:
    """Publishes versions, whatever their quality: that is the gate's business."""

    spark: SparkSession
    settings: BatchSettings
    models: ModelFiles
    published: PublishedModels
    lock: HeldLock
    pool: HBasePool
    items: ItemStore
    live: LiveCatalogue
    say: Callable[[str], None]

    def publish(self, manifest: Manifest, replaces: str | None) -> None:
        """Write all keys of a stored version, verify them, move the pointer, retire old versions.

        Args:
            replaces: the version that served when this one was found good enough.

        Raises:
            InvalidModel: a file is damaged, or a record missing in Redis or removed by it; the
                pointer has not moved.
            LockLost: another run has begun, or another version serves than `replaces`.
        """
        tenant, version = manifest.tenant, manifest.version
        self.lock.check()
        item_bytes = self.models.item_bytes(tenant, version)
        self._refresh_live_catalogue(
            tenant, unpack_items(item_bytes), self._side_of(tenant, replaces)
        )
        url = self.settings.redis_url.get_secret_value()
        self._make_room(tenant, version)
        with self._removed_on_failure(tenant):
            with self._nothing_evicted(version):
                publish_users(self.spark, self.settings.model_store.resolve(), url, manifest)
                self.published.write_items(tenant, version, manifest.to_json(), item_bytes)
                self.published.mark_complete(tenant, version)
                # Before anybody is answered from it.
                erase_forgotten(self.pool, self.published, manifest, self.say)
            self._move_pointer(tenant, version, replaces)
        self.say(f"{pluralize(manifest.data.users, 'user')} published; {version} serves now")
        self._retire_others(tenant)

    def last_serving(self, tenant: str) -> str | None:
        """Name the version that serves, or did when Redis lost its data; None before the first."""
        return last_serving(self.published, self.models, tenant)

    def serving_manifest(self, tenant: str) -> Manifest | None:
        """Read the manifest of `last_serving`; None when there is none to be read."""
        version = self.last_serving(tenant)
        try:
            return self.models.manifest(tenant, version) if version else None
        except (NotFound, InvalidModel):
            return None

    def settle(self, tenant: str) -> None:
        """Mend what a run that died has left: half-written files and records, a wrong mark.

        Warns of a Redis that is older than that mark, or evicts keys, which nothing else shows
        until they are missed.
        """
        self.models.remove_drafts(tenant, time.time())
        serving = self.published.current(tenant)
        if since := self.models.noted_since(tenant, serving):
            self.say(since)
        if serving and self.models.last_two(tenant)[:1] != [serving]:
            self.models.mark_serving(tenant, serving)
        self._retire_others(tenant)
        if found := self._eviction():
            removed = pluralize(found.evicted_keys, "key")
            self.say(
                "Redis removes keys that are needed when it is full (maxmemory-policy"
                f" {found.policy}; {removed} since it was started): set maxmemory-policy noeviction"
            )

    def warn_of_little_room(self, tenant: str) -> None:
        """Say that Redis will be full before the next version is in it, if it is like the last."""
        serving = self.last_serving(tenant)
        room = self._room(tenant, serving)
        if room is None or room.is_enough:
            return
        before = (self._room(tenant, each) for each in self.models.last_two(tenant)[1:])
        removable = sum(each.version_bytes for each in before if each)
        if room.free_bytes + removable >= room.version_bytes:
            return  # `publish` makes that room
        free, needed = _mebibytes(room.free_bytes), _mebibytes(room.version_bytes)
        self.say(
            f"Redis has room for {free} more, and {serving}, which serves, takes {needed}: a new"
            " version like it will not fit; raise maxmemory before this one is published"
        )

    def remove_old_versions(self, tenant: str, candidate: str | None) -> None:
        """Keep the newest versions, whatever became of them, and those that serve or did last.

        Args:
            candidate: the version that was made last. It stays, too: by a clock that was set back
                it is not the newest by its name, and an operator may yet publish it.
        """
        try:
            kept = {*self.models.last_two(tenant), self.published.current(tenant), candidate}
            for old in self.models.versions(tenant)[:-MODELS_KEPT]:
                if old not in kept:
                    self.models.remove(tenant, old)
        except (OSError, Unavailable) as error:
            # Whatever became of the run is more important.
            self.say(f"old versions stay until the next run: {error}")

    @contextmanager
    def _removed_on_failure(self, tenant: str) -> Iterator[None]:
        """Remove the records of a version that could not be published to its end.

        In a Redis that they filled no shopper's events would be recent until the next run. Whoever
        has lost the lock removes nothing: another run may write the same version.
        """
        try:
            yield
        except Exception:
            with suppress(Unavailable, LockLost):
                self.lock.check()
                self._retire_others(tenant)
            raise

    def _make_room(self, tenant: str, version: str) -> None:
        """Give up the way back at once to the version before, where there is no room beside it."""
        room = self._room(tenant, self.last_serving(tenant))
        if room is None or room.is_enough:
            return
        if self.published.retire(tenant, [version]):
            self.say(
                f"Redis has room for {_mebibytes(room.free_bytes)} more, a version takes"
                f" {_mebibytes(room.version_bytes)}: only what serves stays there meanwhile;"
                " `recsys models serve` publishes an older version again"
            )

    def _room(self, tenant: str, version: str | None) -> Room | None:
        """Room beside a version of the model store; None where it cannot be known."""
        if version is None:
            return None
        try:
            users = self.models.manifest(tenant, version).data.users
        except (NotFound, InvalidModel):
            return None
        with connect(self.settings.redis_url.get_secret_value()) as redis:
            return room_beside(redis, tenant, version, users)

    def _eviction(self) -> Eviction | None:
        with connect(self.settings.redis_url.get_secret_value()) as redis:
            return eviction(redis)

    @contextmanager
    def _nothing_evicted(self, version: str) -> Iterator[None]:
        """Refuse a version whose records may have gone after they were counted.

        Raises:
            InvalidModel: Redis has removed keys during the block, of whatever kind.
        """
        before = self._eviction()
        yield
        after = self._eviction()
        if before is None or after is None or not after.takes_any_key:
            return
        gone = after.evicted_keys - before.evicted_keys
        # Fewer where its counters began anew meanwhile.
        if gone > 0:
            raise InvalidModel(
                f"Redis is full and removed {pluralize(gone, 'key')} while {version} was written"
                f" (maxmemory-policy {after.policy}), maybe some of this version: raise"
                " maxmemory and set noeviction, then run it again"
            )

    def _retire_others(self, tenant: str) -> None:
        """Leave the version that serves and the one before.

        Answers under way may still read that one, and an operator may go back to it.
        """
        self.published.retire(tenant, self.models.last_two(tenant))

    def _move_pointer(self, tenant: str, version: str, replaces: str | None) -> None:
        """Mark first, see `ModelFiles.mark_serving`; where the pointer stays, so does the mark."""
        before = self.models.last_two(tenant)
        self.models.mark_serving(tenant, version)
        try:
            guard = PointerGuard(self.lock.token, replaces)
            self.published.activate(tenant, version, guard)
        except (LockLost, Unavailable):
            # Where Redis does not say, the next run asks what serves.
            with suppress(Unavailable):
                serving = self.published.current(tenant)
                if serving in before[:1]:
                    self.models.mark_again(tenant, before)
                elif serving:
                    self.models.mark_serving(tenant, serving)
            raise

    def _side_of(self, tenant: str, version: str | None) -> ItemModel | None:
        try:
            return self.models.items(tenant, version) if version else None
        except (NotFound, InvalidModel):
            return None

    def _refresh_live_catalogue(self, tenant: str, *models: ItemModel | None) -> None:
        """Make the live catalogue whole: Redis may have been emptied, or a writer have died.

        The version before is looked at too: it can serve again by a move of the pointer alone.
        """
        recommended = {
            model.ids.id_of(int(row))
            for model in models
            if model is not None
            for row in np.flatnonzero(model.eligible)
        }
        copy_catalogue(self.items, self.live, tenant, recommended)


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"


def last_serving(published: PublishedModels, models: ModelFiles, tenant: str) -> str | None:
    """Name the version that serves, or did when Redis lost its data; None before the first."""
    return published.current(tenant) or next(iter(models.last_two(tenant)), None)
