"""What a part of the snapshot is read from."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Protocol

from recsys.stores.hbase.interaction_scan import (
    ChangedInteractions,
    InteractionColumns,
    InteractionScan,
    TimeWindow,
)
from recsys.stores.hbase.keys import user_prefix
from recsys.stores.hbase.pool import TASK_POOL, HBasePool
from recsys.stores.hbase.table import KeyRange


class EventSource(Protocol):
    """The table of a tenant's events, as one task reads it. May raise Unavailable."""

    def all(self, key_range: KeyRange) -> Iterator[InteractionColumns]:
        """The events that are there, with details, some thousands at a time."""

    def changed(self, key_range: KeyRange, since_ms: int) -> Iterator[InteractionColumns]:
        """Those that were received or imported since a moment; of equal ones the last counts."""


@dataclass(frozen=True, slots=True)
class HBaseAddresses:
    """Where HBase is; `thrift2` is None where no server is known that reads ranges of time."""

    thrift: str
    thrift2: str | None


class HBaseSource:
    """`EventSource` on HBase."""

    def __init__(self, scan: InteractionScan, changed: ChangedInteractions | None) -> None:
        self._scan = scan
        self._changed = changed

    def all(self, key_range: KeyRange) -> Iterator[InteractionColumns]:
        return self._scan.read(key_range, TimeWindow(), with_details=True)

    def changed(self, key_range: KeyRange, since_ms: int) -> Iterator[InteractionColumns]:
        assert self._changed is not None, "a thrift2 server reads this"  # noqa: S101
        return self._changed.read(key_range, since_ms)


@contextmanager
def open_source(addresses: HBaseAddresses, tenant: str) -> Iterator[EventSource]:
    """The events of a tenant, on connections that close with the block."""
    with ExitStack() as opened:
        pool = opened.enter_context(closing(HBasePool(addresses.thrift, TASK_POOL)))
        changed = None
        if addresses.thrift2 is not None:
            changed = opened.enter_context(closing(ChangedInteractions(addresses.thrift2, tenant)))
        yield HBaseSource(InteractionScan(pool, tenant), changed)


def range_of_user(user_id: str) -> KeyRange:
    """The rows of a user, and of nobody else."""
    prefix = user_prefix(user_id)
    # The prefix ends in 0x00: the next key that does not begin with it ends in 0x01.
    return KeyRange(prefix, prefix[:-1] + b"\1")


def overlap(one: KeyRange, other: KeyRange) -> KeyRange | None:
    """The rows that two ranges share; None where there can be none."""
    start = max(one.start, other.start)
    stop = min((each.stop for each in (one, other) if each.stop), default=b"")
    return KeyRange(start, stop) if not stop or start < stop else None
