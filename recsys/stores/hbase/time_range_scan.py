"""Scans of what was written in a range of time, through HBase's thrift2 server.

HBase opens only those store files of a region whose cells may lie in the range.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any

import thriftpy2
from thriftpy2.rpc import make_client

from recsys.core.errors import Unavailable
from recsys.stores.hbase.address import thrift_address
from recsys.stores.hbase.failures import translated
from recsys.stores.hbase.table import (
    BULK_PATIENCE_SECONDS,
    PAGE_ROWS,
    KeyRange,
    Page,
    result_pages,
)

_idl: Any = thriftpy2.load(
    str(resources.files("recsys.stores.hbase") / "time_range.thrift"),
    module_name="time_range_thrift",
)
# A page may be few rows of a large region, all of whose files HBase reads for them.
_TIMEOUT_MS = 300_000
# Any one cell is there at once: a server that hangs must not hold up who can do without it.
_CELL_TIMEOUT_MS = 15_000


@dataclass(frozen=True, slots=True)
class WrittenRange:
    """The cells with start_ms <= timestamp < end_ms."""

    start_ms: int
    end_ms: int = 2**63 - 1


class TimeRangeScan:
    """Scans of one table, on a connection of its own that belongs to one thread.

    Raises:
        Unavailable: from any method, when the server does not answer.
        NotSetUp: the table does not exist, or the server may not read it.
    """

    def __init__(self, address: str, table: bytes) -> None:
        self._server = thrift_address(address)
        self._table = table
        self._client: Any = None

    def get(self, key: bytes, column: bytes) -> bytes | None:
        """Read one cell; whoever hangs is soon given up."""
        one = KeyRange(key, key + b"\0")
        try:
            found = self._read(one, [column], WrittenRange(0), 1, timeout_ms=_CELL_TIMEOUT_MS)
        finally:
            # Pages have more time than this connection.
            self.close()
        return _page(found, [column]).columns[column][0] if found else None

    def pages(
        self, key_range: KeyRange, columns: Sequence[bytes], written: WrittenRange
    ) -> Iterator[Page]:
        """Read rows as `Table.scan` does, as far as their cells were written in the range."""
        read = partial(self._read, columns=columns, written=written, rows=PAGE_ROWS)
        for results in result_pages(read, key_range, PAGE_ROWS, BULK_PATIENCE_SECONDS):
            yield _page(results, columns)

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError):
                client.close()

    def _read(
        self,
        key_range: KeyRange,
        columns: Sequence[bytes],
        written: WrittenRange,
        rows: int,
        timeout_ms: int = _TIMEOUT_MS,
    ) -> list[Any]:
        scan = _idl.TScan(
            startRow=key_range.start,
            stopRow=key_range.stop,
            columns=[_column(name) for name in columns],
            caching=rows,
            timeRange=_idl.TTimeRange(minStamp=written.start_ms, maxStamp=written.end_ms),
            # What is read once a night must not push what requests read out of the cache.
            cacheBlocks=False,
        )
        try:
            with translated(), self._named_when_silent(timeout_ms):
                client = self._connected(timeout_ms)
                return list(client.getScannerResults(self._table, scan, rows))
        except BaseException:
            # An answer may still be on its way in this connection.
            self.close()
            raise

    @contextmanager
    def _named_when_silent(self, timeout_ms: int) -> Iterator[None]:
        """Tell the operator which of HBase's servers hangs: the others may well answer."""
        try:
            yield
        except TimeoutError as error:
            address = f"{self._server.host}:{self._server.port}"
            seconds = timeout_ms / 1000
            raise Unavailable(
                "hbase", f"its thrift2 server at {address} did not respond within {seconds:,.3g} s"
            ) from error

    def _connected(self, timeout_ms: int) -> Any:
        if self._client is None:
            host, port = self._server.host, self._server.port
            self._client = make_client(_idl.HBaseTimeRange, host, port, timeout=timeout_ms)
        return self._client


def _column(name: bytes) -> Any:
    family, _, qualifier = name.partition(b":")
    return _idl.TColumn(family=family, qualifier=qualifier)


def _page(results: Sequence[Any], columns: Sequence[bytes]) -> Page:
    rows = [
        {cell.family + b":" + cell.qualifier: cell for cell in result.columnValues}
        for result in results
    ]
    first = columns[0]
    return Page(
        keys=[result.row for result in results],
        columns={
            name: [row[name].value if name in row else None for row in rows] for name in columns
        },
        written_ms=[row[first].timestamp if first in row else 0 for row in rows],
    )
