"""One HBase table: the few Thrift calls the stores are made of."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from happybase.batch import BatchMutation, Mutation
from happybase.table import TScan

from recsys.core.errors import Unavailable
from recsys.stores.hbase import pipelined_puts
from recsys.stores.hbase.cells import Cells
from recsys.stores.hbase.failures import missing_table
from recsys.stores.hbase.pool import HBasePool

_Result = TypeVar("_Result")

# What a nightly job or an import waits for: a region server's restart takes seconds to a minute.
BULK_PATIENCE_SECONDS = 90.0
# Larger batches write no faster and hold the connection longer.
BATCH_ROWS = 1000
PAGE_ROWS = 5000
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Page:
    """Consecutive rows of a scan: keys in order, and per column one value (or None) a row.

    Attributes:
        written_ms: the timestamp of the first column's cell; 0 where it is None.
    """

    keys: list[bytes]
    columns: dict[bytes, list[bytes | None]]
    written_ms: list[int]


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, and the timestamp it was written with."""

    value: bytes
    written_ms: int


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Rows from `start` (inclusive) to `stop` (exclusive); empty bytes leave that side open."""

    start: bytes = b""
    stop: bytes = b""


class Table:
    """Rows of one table, reached through a pool; every method may raise what `pool.call` raises."""

    def __init__(self, pool: HBasePool, name: bytes) -> None:
        self._pool = pool
        self._name = name

    def put(
        self,
        rows: Iterable[tuple[bytes, Cells]],
        *,
        written_ms: int | None = None,
        patience_seconds: float = 0.0,
    ) -> int:
        """Write rows and return how many; each is in the write-ahead log when this returns.

        Args:
            written_ms: the timestamp of the cells; without it the server's clock gives one. Of
                several writes of a cell the one with the highest timestamp is read.

        Raises:
            Unavailable: when a batch could not be written for `patience_seconds`.
        """
        count = 0
        remaining = iter(rows)
        while batch := [_put(key, cells) for key, cells in islice(remaining, BATCH_ROWS)]:
            patiently(partial(self._mutate, batch, written_ms), patience_seconds)
            count += len(batch)
        return count

    def delete(
        self,
        keys: Sequence[bytes],
        columns: Sequence[bytes],
        *,
        written_until_ms: int,
        patience_seconds: float = 0.0,
    ) -> None:
        """Delete these cells of rows, as far as their timestamps are not after this one.

        What is written to them later with such a timestamp is hidden, too, until HBase compacts.
        """
        mutations = [Mutation(isDelete=True, column=column) for column in columns]
        for start in range(0, len(keys), BATCH_ROWS):
            rows = [BatchMutation(key, mutations) for key in keys[start : start + BATCH_ROWS]]
            patiently(partial(self._mutate, rows, written_until_ms), patience_seconds)

    def put_if(self, key: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        """Write a cell if it holds `expected`, atomically in the row; None: if missing or empty.

        Repeated after a broken connection, it may answer False to its own first attempt.
        """
        mutation = Mutation(column=column, value=value)
        return self._pool.call(
            lambda client: bool(client.checkAndPut(self._name, key, column, expected, mutation, {}))
        )

    def put_missing(self, cells: Mapping[bytes, bytes], column: bytes) -> set[bytes]:
        """Write those of these cells, by row key, that are missing or empty; their keys.

        Each is written by itself as by `put_if`, many being under way at once.
        """
        if not cells:
            return set()
        put = partial(
            pipelined_puts.put_missing, table=self._name, column=column, cells=list(cells.items())
        )
        most = min(len(cells), pipelined_puts.MAX_CONNECTIONS)
        written = self._pool.call_on_several(put, most)
        return {key for key, is_written in zip(cells, written, strict=True) if is_written}

    def get(self, key: bytes, column: bytes) -> bytes | None:
        results = self._get([key], column)
        return bytes(results[0].columns[column].value) if results else None

    def cells(
        self, keys: Sequence[bytes], column: bytes, patience_seconds: float = 0.0
    ) -> dict[bytes, Cell]:
        """The cells of this column by row key, for those of these rows that have one."""
        found: dict[bytes, Cell] = {}
        for start in range(0, len(keys), BATCH_ROWS):
            read = partial(self._get, keys[start : start + BATCH_ROWS], column)
            for row in patiently(read, patience_seconds):
                cell = row.columns[column]
                found[row.row] = Cell(cell.value, cell.timestamp)
        return found

    def scan(
        self,
        key_range: KeyRange,
        columns: Sequence[bytes],
        *,
        page_rows: int = PAGE_ROWS,
        patience_seconds: float = 0.0,
    ) -> Iterator[Page]:
        """Read a key range page by page; only these columns leave the server.

        Every page is a scan of its own that begins behind the last row seen: nothing is held on the
        server in between, and after a failure reading goes on without losing or doubling a row.

        Raises:
            Unavailable: when no page came for `patience_seconds`.
        """
        read = partial(self._page, columns=columns, rows=page_rows)
        for results in result_pages(read, key_range, page_rows, patience_seconds):
            yield _page(results, columns)

    def regions(self) -> list[KeyRange]:
        """The key ranges the table is divided into now, in key order."""
        regions = self._pool.call(lambda client: client.getTableRegions(self._name))
        # HBase answers so about a table it does not have.
        if not regions:
            raise missing_table(self._name.decode())
        ranges = [KeyRange(region.startKey, region.endKey) for region in regions]
        return sorted(ranges, key=lambda one: one.start)

    def _mutate(self, batch: list[BatchMutation], written_ms: int | None = None) -> None:
        if written_ms is None:
            self._pool.call(lambda client: client.mutateRows(self._name, batch, {}))
        else:
            self._pool.call(lambda client: client.mutateRowsTs(self._name, batch, written_ms, {}))

    def _get(self, keys: Sequence[bytes], column: bytes) -> list[Any]:
        return list(
            self._pool.call(
                lambda client: client.getRowsWithColumns(self._name, list(keys), [column], {})
            )
        )

    def _page(self, key_range: KeyRange, columns: Sequence[bytes], rows: int) -> list[Any]:
        scan = TScan(
            startRow=key_range.start,
            stopRow=key_range.stop,
            columns=list(columns),
            caching=rows,
        )

        def read(client: Any) -> list[Any]:
            scanner = client.scannerOpenWithScan(self._name, scan, {})
            results = client.scannerGetList(scanner, rows)
            client.scannerClose(scanner)
            return list(results)

        return self._pool.call(read)


def patiently(attempt: Callable[[], _Result], patience_seconds: float) -> _Result:
    """Repeat an idempotent attempt for this long while HBase is unavailable."""
    give_up = time.monotonic() + patience_seconds
    while True:
        try:
            return attempt()
        except Unavailable:
            if time.monotonic() + _PAUSE_SECONDS > give_up:
                raise
            time.sleep(_PAUSE_SECONDS)


def result_pages(
    read: Callable[[KeyRange], list[Any]],
    key_range: KeyRange,
    page_rows: int,
    patience_seconds: float,
) -> Iterator[list[Any]]:
    """Read a key range page by page, each begun behind the last row seen.

    Args:
        read: gives up to `page_rows` rows from the start of a range on.
    """
    start: bytes | None = key_range.start
    while start is not None:
        results = patiently(partial(read, KeyRange(start, key_range.stop)), patience_seconds)
        if results:
            yield results
        # The smallest key greater than the last one.
        start = results[-1].row + b"\0" if len(results) == page_rows else None


def _put(key: bytes, cells: Cells) -> BatchMutation:
    return BatchMutation(key, [Mutation(column=name, value=value) for name, value in cells.items()])


def _page(results: list[Any], columns: Sequence[bytes]) -> Page:
    cells = [result.columns for result in results]
    return Page(
        keys=[result.row for result in results],
        columns={
            name: [row[name].value if name in row else None for row in cells] for name in columns
        },
        written_ms=[row[columns[0]].timestamp if columns[0] in row else 0 for row in cells],
    )
