"""Names and constants of the HBase tables; docs/decisions/0003-hbase-layout.md has the reasons."""

from recsys.core.domain import checked_tenant

# Part of every row key ever written: changing it means rewriting the interactions tables.
SALT_BUCKETS = 16

# Who the Thrift server of the stores is to HBase: it may read and write tenants' tables, no more.
THRIFT_USER = "recsys-stores"

INTERACTIONS = "interactions"
ITEMS = "items"
IMPORTS = "imports"

FAMILY = b"e"
# What training reads: event type and item id.
ACTION = b"e:a"
# Quantity, price and order, present only when the event has one of them.
DETAILS = b"e:d"
# Items and import records are one JSON document each.
DOCUMENT = b"e:j"


def namespace(tenant: str) -> str:
    """The HBase namespace that holds a tenant's tables.

    Raises:
        InvalidInput: when `tenant` is no valid tenant id.
    """
    return checked_tenant(tenant)


def table_name(tenant: str, table: str) -> bytes:
    """The full name of a tenant's table, e.g. b"demo:items"."""
    return f"{namespace(tenant)}:{table}".encode()


def salt_boundaries() -> list[bytes]:
    """The row keys at which the interactions table is split: one region a bucket."""
    return [bytes([bucket]) for bucket in range(1, SALT_BUCKETS)]
