"""Let HBase write what it holds in memory to store files, as it does when that is much."""

import io

import thriftpy2
from thriftpy2.rpc import make_client

from recsys.stores.hbase.address import thrift_address
from recsys.stores.hbase.layout import INTERACTIONS

_IDL = thriftpy2.load_fp(
    io.StringIO("""
    struct TTableName { 1: optional binary ns, 2: required binary qualifier }
    exception TIOError { 1: optional string message }
    service Tables {
      void disableTable(1: required TTableName tableName) throws (1: TIOError io)
      void enableTable(1: required TTableName tableName) throws (1: TIOError io)
    }
    """),
    "flush_thrift",
)
_TIMEOUT_MS = 120_000


def flush(admin_address: str, tenant: str) -> None:
    """Close the regions of a tenant's events, which writes them out, and open them again.

    Args:
        admin_address: "HOST:PORT" of a thrift2 server that may do so.
    """
    server = thrift_address(admin_address)
    client = make_client(_IDL.Tables, server.host, server.port, timeout=_TIMEOUT_MS)
    try:
        table = _IDL.TTableName(ns=tenant.encode(), qualifier=INTERACTIONS.encode())
        client.disableTable(table)
        client.enableTable(table)
    finally:
        client.close()
