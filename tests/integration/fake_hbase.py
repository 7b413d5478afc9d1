"""A Thrift server of our own that can misbehave in the ways HBase's does."""

import contextlib
import importlib
import socket
import threading
from collections.abc import Callable

from happybase.connection import Hbase
from thriftpy2.protocol import TBinaryProtocol
from thriftpy2.thrift import TProcessor
from thriftpy2.transport import TBufferedTransport, TSocket, TTransportException

# happybase makes this module from HBase's IDL when it is imported.
HBaseError = importlib.import_module("Hbase_thrift").IOError


class FakeHBase:
    """Answers getTableNames on a loopback port with what `answer` returns or raises.

    Attributes:
        calls: requests that came in.
        accepted: connections that were opened.
    """

    def __init__(self) -> None:
        self.answer: Callable[[], list[bytes]] = list
        self.calls = 0
        self.accepted = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def getTableNames(self) -> list[bytes]:  # noqa: N802 - the name in HBase's IDL
        self.calls += 1
        return self.answer()

    def close_connections(self) -> None:
        """Close all sockets from this side, as for having been idle or before a restart."""
        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

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
        protocol = TBinaryProtocol(TBufferedTransport(TSocket(sock=connection)))
        with connection, contextlib.suppress(TTransportException, OSError):
            while True:
                processor.process(protocol, protocol)
