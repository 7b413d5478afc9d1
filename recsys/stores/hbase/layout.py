"""Names and constants of the HBase tables; docs/decisions/0003-hbase-layout.md has the reasons."""

from recsys.core.domain import checked_tenant

# Part of every row key ever written: changing it means rewriting the interactions tables.
SALT_BUCKETS = 16

# Who the Thrift server of the stores is to HBase: it may read and write tenants' tables, no more.
THRIFT_USER = "recsys-stores"

INTERACTIONS = "interactions"
ITEMS = "items"
IMPORTS = "imports"
EVENT_IDS = "event_ids"
REMOVALS = "removals"
USERS = "users"
TABLES = (INTERACTIONS, ITEMS, IMPORTS, EVENT_IDS, REMOVALS, USERS)

FAMILY = b"e"
# What training reads: event type and item id.
ACTION = b"e:a"
# Quantity, price and order, present only when the event has one of them.
DETAILS = b"e:d"
# Where the event came from, present only when it says so; training never reads it.
CONTEXT = b"e:c"
# Items, users, import records, claims of event ids and removals are one JSON document each.
DOCUMENT = b"e:j"
# Which snapshot of the table was the last, in a row that is no event: nobody else reads it.
WITNESS = b"e:w"
# Behind the rows of all events, whose keys begin with a salt.
_WITNESS_PREFIX = b"\xff"

# How long an event id is known: clients retry for days, and a queue may be replayed after a month.
EVENT_ID_DAYS = 90
# Claims of event ids and users are never scanned: a quarter of the regions spreads writes enough.
BUCKETS_PER_WIDE_REGION = 4
# Cell timestamps below this are those of imported events; once, all of them had 0.
IMPORTED_BELOW = 10**10
# What another service wrote lately may be dated later than now by its clock.
CLOCKS_DIFFER_MS = 60_000
# How long it is known whose events were removed; an older snapshot of behaviour is not used.
REMOVAL_DAYS = 30


def namespace(tenant: str) -> str:
    """The HBase namespace that holds a tenant's tables.

    Raises:
        InvalidInput: when `tenant` is no valid tenant id.
    """
    return checked_tenant(tenant)


def table_name(tenant: str, table: str) -> bytes:
    """The full name of a tenant's table, e.g. b"demo:items"."""
    return f"{namespace(tenant)}:{table}".encode()


def witness_key(keeper: str) -> bytes:
    """The row of a keeper of snapshots."""
    return _WITNESS_PREFIX + keeper.encode()


def salt_boundaries(buckets_per_region: int = 1) -> list[bytes]:
    """The row keys at which a salted table is split."""
    return [
        bytes([bucket]) for bucket in range(buckets_per_region, SALT_BUCKETS, buckets_per_region)
    ]


def imported_at(now_ms: int) -> int:
    """The cell timestamp of events that are imported now: a time of 1970, below every cutoff.

    No service received them, so the next nightly run reads them all, whatever their dates, and they
    are never among the recent events. These are seconds where milliseconds belong: what was
    imported since some moment is a range of timestamps, too.
    """
    return now_ms // 1000


def is_imported(written_ms: int) -> bool:
    """Does a cell timestamp come from `imported_at`?"""
    return written_ms < IMPORTED_BELOW
