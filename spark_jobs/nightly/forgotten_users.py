"""Users who were forgotten after a model's behaviour was read: it must not bring them back."""

from collections.abc import Callable, Sequence

from recsys.core.errors import NotSetUp
from recsys.core.ports import PublishedModels
from recsys.core.wording import pluralize
from recsys.stores.hbase.interaction_scan import InteractionScan, TimeWindow
from recsys.stores.hbase.layout import REMOVALS, table_name
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.removals import Removals
from recsys.stores.hbase.table import BULK_PATIENCE_SECONDS, Table
from recsys.stores.manifest import Manifest
from spark_jobs.event_snapshot.source import range_of_user
from spark_jobs.event_snapshot.update import OVERLAP_MS


def forgotten_users(
    pool: HBasePool, manifest: Manifest, patience_seconds: float = BULK_PATIENCE_SECONDS
) -> list[str]:
    """List users of whom events were removed since a model was made, and none of before is left.

    Who was forgotten and came back is among them, whose events are all new; who lost some events of
    many, by an import that was undone, is not. Removals are known for REMOVAL_DAYS.

    Raises:
        Unavailable: HBase does not answer for longer than `patience_seconds`.
    """
    return _forgotten(pool, manifest, _removed_since(pool, manifest, patience_seconds))


def erase_forgotten(
    pool: HBasePool,
    published: PublishedModels,
    manifest: Manifest,
    say: Callable[[str], None],
    patience_seconds: float = BULK_PATIENCE_SECONDS,
    most: int | None = None,
) -> bool:
    """Take the records of `forgotten_users` from a version that is in Redis and may serve yet.

    Args:
        most: users to look at; of more nothing is done. Each is read from HBase, and an import that
            was undone may have touched all.

    Returns:
        Whether it was done.

    Raises:
        Unavailable: some records may be left.
    """
    removed = _removed_since(pool, manifest, patience_seconds)
    if most is not None and len(removed) > most:
        return False
    forgotten = _forgotten(pool, manifest, removed)
    for user_id in forgotten:
        published.erase_user(manifest.tenant, user_id, manifest.version)
    if forgotten:
        count = pluralize(len(forgotten), "user")
        say(f"{count} forgotten since {manifest.version} was made: left out of it")
    return True


def _removed_since(pool: HBasePool, manifest: Manifest, patience_seconds: float) -> list[str]:
    """Users of whom events were removed since a model's behaviour was read."""
    removals = Removals(Table(pool, table_name(manifest.tenant, REMOVALS)))
    try:
        return removals.since(manifest.recipe.read_at_ms - OVERLAP_MS, patience_seconds)
    except NotSetUp:
        # Tables of an earlier release, without which nobody could be forgotten.
        return []


def _forgotten(pool: HBasePool, manifest: Manifest, removed: Sequence[str]) -> list[str]:
    scan, read_at_ms = InteractionScan(pool, manifest.tenant), manifest.recipe.read_at_ms
    return [user_id for user_id in removed if not _has_events(scan, user_id, read_at_ms)]


def _has_events(scan: InteractionScan, user_id: str, received_before_ms: int) -> bool:
    pages = scan.read(range_of_user(user_id), TimeWindow())
    return any(bool((page.written_ms < received_before_ms).any()) for page in pages)
