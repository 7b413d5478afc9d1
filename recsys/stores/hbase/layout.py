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

FAMILY = b"e"
# What training reads: event type and item id.
ACTION = b"e:a"
# Quantity, price and order, present only when the event has one of them.
DETAILS = b"e:d"
# Where the event came from, present only when it says so; training never reads it.
CONTEXT = b"e:c"
# Items, import records and claims of event ids are one JSON document each.
DOCUMENT = b"e:j"

# How long an event id is known: clients retry for days, and a queue may be replayed after a month.
EVENT_ID_DAYS = 90
# Claims of event ids are never scanned: a quarter of the regions spreads their writes enough.
EVENT_ID_BUCKETS_PER_REGION = 4
# The cell timestamp of imported events, which no service received: below every cutoff, so that the
# next nightly run reads them, and the same in every import, so that a rerun changes nothing.
IMPORTED_MS = 0


def namespace(tenant: str) -> str:
    """The HBase namespace that holds a tenant's tables.

    Raises:
        InvalidInput: when `tenant` is no valid tenant id.
    """
    return checked_tenant(tenant)


def table_name(tenant: str, table: str) -> bytes:
    """The full name of a tenant's table, e.g. b"demo:items"."""
    return f"{namespace(tenant)}:{table}".encode()


def salt_boundaries(buckets_per_region: int = 1) -> list[bytes]:
    """The row keys at which a salted table is split."""
    return [
        bytes([bucket]) for bucket in range(buckets_per_region, SALT_BUCKETS, buckets_per_region)
    ]
