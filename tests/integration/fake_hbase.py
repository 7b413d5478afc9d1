"""A Thrift server of our own that can misbehave in the ways HBase's does."""

import contextlib
import importlib
import select
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from happybase.connection import Hbase
from thriftpy2.protocol import TBinaryProtocol
from thriftpy2.thrift import TProcessor
from thriftpy2.transport import TBufferedTransport, TSocket, TTransportException

# happybase makes this module from HBase's IDL when it is imported.
_idl = importlib.import_module("Hbase_thrift")
HBaseError, HBaseIllegalArgument = _idl.IOError, _idl.IllegalArgument


class FakeHBase:
    """Answers getTableNames on a loopback port with what `answer` returns or raises; has one table.

    Attributes:
        cells: of the table, one a row; `checkAndPut` writes them and `getRowsWithColumns` reads.
        on_put: called with the row between the writing of a cell and the answer; may raise.
        calls: requests for the names that came in.
        accepted: connections that were opened.
    """

    def __init__(self) -> None:
        self.answer: Callable[[], list[bytes]] = list
        self.cells: dict[bytes, bytes] = {}
        self.on_put: Callable[[bytes], object] = bool
        self._writing = threading.Lock()
        self.calls = 0
        self.accepted = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def getTableNames(self) -> list[bytes]:  # noqa: N802 - the name in HBase's IDL
        self.calls += 1
        return self.answer()

    def checkAndPut(  # noqa: N802 - the name in HBase's IDL
        self, table: bytes, row: bytes, column: bytes, expected: bytes | None, put: Any, _: Any
    ) -> bool:
        with self._writing:
            is_as_expected = self.cells.get(row) == expected
            if is_as_expected:
                self.cells[row] = put.value
        self.on_put(row)
        return is_as_expected

    def getRowsWithColumns(  # noqa: N802 - the name in HBase's IDL
        self, table: bytes, rows: Sequence[bytes], columns: Sequence[bytes], _: Any
    ) -> list[Any]:
        found = [(row, self.cells[row]) for row in rows if row in self.cells]
        cells = [(row, _idl.TCell(value=value, timestamp=1)) for row, value in found]
        return [_idl.TRowResult(row=row, columns={columns[0]: cell}) for row, cell in cells]

    def more_came(self, seconds: float) -> bool:
        """Wait until something that has not been read has come on any connection."""
        return bool(select.select(self._open, [], [], seconds)[0])

    def close_connections(self) -> None:
        """Close all sockets from this side, as for having been idle or before a restart."""
        # Not those that a caller opens meanwhile.
        closing, self._open = self._open, []
        for connection in closing:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Refuse new connections and close the present ones."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.close_connections()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        processor = TProcessor(Hbase, self)
        transport = TBufferedTransport(TSocket(sock=connection))
        protocol = TBinaryProtocol(transport, decode_response=False)
        with connection, contextlib.suppress(TTransportException, OSError):
            while True:
                processor.process(protocol, protocol)
