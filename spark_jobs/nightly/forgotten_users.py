"""Users who were forgotten after a model's behaviour was read: it must not bring them back."""

from collections.abc import Callable

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
    read_at_ms = manifest.recipe.read_at_ms
    removals = Removals(Table(pool, table_name(manifest.tenant, REMOVALS)))
    try:
        removed = removals.since(read_at_ms - OVERLAP_MS, patience_seconds)
    except NotSetUp:
        # Tables of an earlier release, without which nobody could be forgotten.
        return []
    scan = InteractionScan(pool, manifest.tenant)
    return [user_id for user_id in removed if not _has_events(scan, user_id, read_at_ms)]


def erase_forgotten(
    pool: HBasePool,
    published: PublishedModels,
    manifest: Manifest,
    say: Callable[[str], None],
    patience_seconds: float = BULK_PATIENCE_SECONDS,
) -> None:
    """Take the records of `forgotten_users` from a version that is in Redis and does not serve yet.

    Raises:
        Unavailable: some records may be left.
    """
    forgotten = forgotten_users(pool, manifest, patience_seconds)
    for user_id in forgotten:
        published.erase_user(manifest.tenant, user_id, manifest.version)
    if forgotten:
        count = pluralize(len(forgotten), "user")
        say(f"{count} forgotten since {manifest.version} was made: left out of it")


def _has_events(scan: InteractionScan, user_id: str, received_before_ms: int) -> bool:
    pages = scan.read(range_of_user(user_id), TimeWindow())
    return any(bool((page.written_ms < received_before_ms).any()) for page in pages)
