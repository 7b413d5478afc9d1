"""A night's snapshot: the last night's and what changed since, or all of HBase."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from pyspark.sql import SparkSession

from recsys.core.errors import NotSetUp, Unavailable
from recsys.core.times import MS_PER_DAY, utc_datetime
from recsys.core.wording import pluralize
from recsys.stores.hbase.interaction_scan import ChangedInteractions, InteractionScan
from recsys.stores.hbase.layout import REMOVAL_DAYS, REMOVALS, table_name
from recsys.stores.hbase.pool import TASK_POOL, HBasePool
from recsys.stores.hbase.removals import Removals
from recsys.stores.hbase.table import KeyRange, Table
from recsys.stores.hbase.witness import Witness
from spark_jobs.event_snapshot.files import EventSnapshot, SnapshotFolder, Unusable
from spark_jobs.event_snapshot.part import MadePart, Part, Since, merge_part, read_part
from spark_jobs.event_snapshot.source import HBaseAddresses, open_source
from spark_jobs.task_errors import errors_of_tasks
from spark_jobs.worker_process import freeze_gc

# Read again each night, from before the last cutoff: clocks of services and of machines that import
# run apart, and HBase may hold a write up. Reading an event twice changes nothing.
OVERLAP_MS = 3_600_000
# Of each user of whom events were removed all is read, by a scan of their own: of more users than
# these, such as those of an import that was undone, it is no slower to read everything.
_MAX_REMOVED_USERS = 10_000
# A removal's record must not expire while an hour of it may still be needed.
_MAX_AGE_MS = (REMOVAL_DAYS - 1) * MS_PER_DAY


@dataclass(frozen=True)
class SnapshotRequest:
    """Whose events to keep, where they are, and up to when.

    Attributes:
        received_before_ms: later arrivals are left out; must be past, see `nightly.cutoff`.
        full: read all, whatever there is of the last night.
    """

    tenant: str
    addresses: HBaseAddresses
    received_before_ms: int
    full: bool


@dataclass(frozen=True)
class SnapshotUpdate:
    """A new snapshot.

    Attributes:
        rows_read: how many HBase sent for it.
        summary: a line that says how it was made and why so.
    """

    snapshot: EventSnapshot
    rows_read: int
    summary: str


def update_snapshot(
    spark: SparkSession, folder: SnapshotFolder, request: SnapshotRequest
) -> SnapshotUpdate:
    """Bring the snapshot up to now.

    Raises:
        Unavailable: when HBase does not answer; the last night's snapshot stays.
        NotSetUp: the tenant has no tables.
    """
    folder.remove_leftovers()
    with closing(HBasePool(request.addresses.thrift, TASK_POOL)) as pool:
        last = _last_night(folder, request, pool)
        if isinstance(last, Unusable):
            ranges = InteractionScan(pool, request.tenant).ranges()
            made = _run(spark, _full_reads(folder, request, ranges))
        else:
            made = _run(spark, _merges(folder, request, last))
        snapshot = EventSnapshot(
            tenant=request.tenant,
            keeper=_keeper(folder),
            mark=uuid4().hex,
            read_at_ms=request.received_before_ms,
            parts=tuple(each.part for each in made),
        )
        # Before the folder: a crash in between costs a read in full, never an event.
        Witness(pool, request.tenant, snapshot.keeper).write(snapshot.mark)
    folder.commit(snapshot)
    if isinstance(last, Unusable):
        summary = f"{pluralize(snapshot.events, 'event')} read in full, because {last}"
    else:
        summary = _merged_summary(last.snapshot, made)
    return SnapshotUpdate(snapshot, sum(each.rows_read for each in made), summary)


@dataclass(frozen=True)
class _LastNight:
    """A snapshot to go on from, and what is to be read since."""

    snapshot: EventSnapshot
    since: Since


def _last_night(
    folder: SnapshotFolder, request: SnapshotRequest, pool: HBasePool
) -> _LastNight | Unusable:
    """The last night's snapshot, or why all must be read."""
    try:
        return _checked(folder, request, pool)
    except Unusable as error:
        return error


def _checked(folder: SnapshotFolder, request: SnapshotRequest, pool: HBasePool) -> _LastNight:
    if request.full:
        raise Unusable("--full asks for it")
    if request.addresses.thrift2 is None:
        raise Unusable("HBASE_THRIFT2 names no server that reads ranges of time")
    last = folder.load()
    _check_fits(last, request)
    if Witness(pool, request.tenant, last.keeper).read() != last.mark:
        raise Unusable("HBase's table was emptied, restored or made anew since the snapshot")
    folder.check_files(last)
    _check_thrift2(request.addresses.thrift2, last)
    since_ms = last.read_at_ms - OVERLAP_MS
    removals = Removals(Table(pool, table_name(request.tenant, REMOVALS)))
    try:
        removed = removals.since(since_ms)
    except NotSetUp as error:
        raise Unusable(f"it is not known what was removed: {error}") from error
    if len(removed) > _MAX_REMOVED_USERS:
        raise Unusable(f"events of {pluralize(len(removed), 'user')} were removed")
    return _LastNight(last, Since(since_ms, tuple(removed)))


def _check_fits(last: EventSnapshot, request: SnapshotRequest) -> None:
    if last.tenant != request.tenant:
        raise Unusable(f"the snapshot is of another tenant, {last.tenant}")
    age_ms = request.received_before_ms - last.read_at_ms
    if age_ms < 0:
        raise Unusable(f"the snapshot is of {_utc(last.read_at_ms)}, which is still to come")
    if age_ms > _MAX_AGE_MS:
        raise Unusable(
            f"the snapshot is of {_utc(last.read_at_ms)}, and removals are known for"
            f" {REMOVAL_DAYS} days"
        )


def _check_thrift2(address: str, last: EventSnapshot) -> None:
    with closing(ChangedInteractions(address, last.tenant)) as changed:
        try:
            mark = changed.mark(last.keeper)
        except (Unavailable, NotSetUp) as error:
            raise Unusable(f"HBASE_THRIFT2 at {address} does not work: {error}") from error
    if mark != last.mark:
        # Nothing new would ever come from there.
        raise Unusable(f"HBASE_THRIFT2 at {address} is of another HBase than HBASE_THRIFT")


def _keeper(folder: SnapshotFolder) -> str:
    try:
        return folder.load().keeper
    except Unusable:
        return uuid4().hex


_Task = Callable[[], MadePart]


def _merges(folder: SnapshotFolder, request: SnapshotRequest, last: _LastNight) -> list[_Task]:
    parts = last.snapshot.parts
    return [
        _Merge(request, path, folder.path_of(part), part, last.since)
        for path, part in zip(folder.new_paths(len(parts)), parts, strict=True)
    ]


def _full_reads(
    folder: SnapshotFolder, request: SnapshotRequest, ranges: list[KeyRange]
) -> list[_Task]:
    paths = folder.new_paths(len(ranges))
    return [_FullRead(request, path, each) for path, each in zip(paths, ranges, strict=True)]


@dataclass(frozen=True)
class _FullRead:
    """Task that travels to an executor, so it holds addresses and no connection."""

    request: SnapshotRequest
    path: Path
    key_range: KeyRange

    def __call__(self) -> MadePart:
        with open_source(self.request.addresses, self.request.tenant) as source:
            return read_part(source, self.path, self.key_range, self.request.received_before_ms)


@dataclass(frozen=True)
class _Merge:
    request: SnapshotRequest
    path: Path
    old: Path
    part: Part
    since: Since

    def __call__(self) -> MadePart:
        before_ms = self.request.received_before_ms
        with open_source(self.request.addresses, self.request.tenant) as source:
            return merge_part(source, self.path, self.old, self.part, self.since, before_ms)


def _run(spark: SparkSession, tasks: list[_Task]) -> list[MadePart]:
    with errors_of_tasks():
        made: list[MadePart] = (
            spark.sparkContext.parallelize(tasks, len(tasks)).map(_make_part).collect()
        )
    return made


def _make_part(task: _Task) -> MadePart:
    part = task()
    freeze_gc()
    return part


def _merged_summary(last: EventSnapshot, made: list[MadePart]) -> str:
    changed = sum(each.rows_read for each in made if each.is_merged)
    line = (
        f"snapshot of {pluralize(last.events, 'event')} from {_utc(last.read_at_ms)},"
        f" {pluralize(changed, 'new or changed one')} read"
    )
    full = [each.rows_read for each in made if not each.is_merged]
    if not full:
        return line
    parts = pluralize(len(full), "part")
    return f"{line}; {parts} with {pluralize(sum(full), 'event')} in full, so much is new there"


def _utc(time_ms: int) -> str:
    return f"{utc_datetime(time_ms):%Y-%m-%d %H:%M} UTC"
