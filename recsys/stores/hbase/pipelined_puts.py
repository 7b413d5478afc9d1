"""Conditional puts, many of which are sent before the first is answered.

HBase's Thrift server knows no batch of them, but it has a thread for each connection, which answers
in order whatever comes there. So puts sent one behind the other spare their caller a wait for each,
and those of several connections share the syncs of the write-ahead log (group commit).
"""

import time
from collections.abc import Sequence
from typing import Any

from happybase import Connection
from happybase.batch import Mutation
from happybase.connection import Hbase
from thriftpy2.protocol import TBinaryProtocol
from thriftpy2.thrift import TApplicationException, TMessageType

# Measured, 32 puts at a time: a fifth less CPU each than on two connections, and no more than on
# sixteen.
MAX_CONNECTIONS = 8

_METHOD = "checkAndPut"
# For what has come in time, and is read when that is over.
_MOMENT_SECONDS = 0.001


def put_missing(
    connections: Sequence[Connection],
    table: bytes,
    column: bytes,
    cells: Sequence[tuple[bytes, bytes]],
) -> list[bool]:
    """Write those of these cells that are missing or empty, each atomically in its row.

    All together have the time that one answer may take.

    Args:
        connections: what the puts are shared out over; no answer may be on its way there.
        cells: row keys and values.

    Returns:
        Whether each was written.

    Raises:
        TException, OSError: a put failed, or a connection broke. What became of the others is not
            known, and answers may still be on their way.
    """
    lanes = range(len(connections))
    puts = [
        Hbase.checkAndPut_args(table, row, column, None, Mutation(column=column, value=value), {})
        for row, value in cells
    ]
    seconds = connections[0].transport.sock.gettimeout()
    deadline = time.monotonic() + seconds
    for lane, connection in zip(lanes, connections, strict=True):
        _wait_until(deadline, connection)
        _send(connection, puts[lane :: len(lanes)])
    written = [False] * len(puts)
    for lane, connection in zip(lanes, connections, strict=True):
        own = slice(lane, None, len(lanes))
        written[own] = _receive(connection, len(puts[own]), deadline)
        connection.transport.sock.settimeout(seconds)
    return written


def _send(connection: Connection, puts: Sequence[Hbase.checkAndPut_args]) -> None:
    protocol = _protocol(connection)
    for number, put in enumerate(puts):
        protocol.write_message_begin(_METHOD, TMessageType.CALL, number)
        put.write(protocol)
        protocol.write_message_end()
    connection.transport.flush()


def _receive(connection: Connection, count: int, deadline: float) -> list[bool]:
    protocol = _protocol(connection)
    written = []
    for number in range(count):
        _wait_until(deadline, connection)
        written.append(_receive_one(protocol, number))
    return written


def _receive_one(protocol: Any, number: int) -> bool:
    _, kind, answered = protocol.read_message_begin()
    if kind == TMessageType.EXCEPTION:
        failure = TApplicationException()
        failure.read(protocol)
        raise failure
    result = Hbase.checkAndPut_result()
    result.read(protocol)
    protocol.read_message_end()
    if answered != number:
        # Never seen. What was said of one id must not be taken for another's.
        raise TApplicationException(TApplicationException.BAD_SEQUENCE_ID, "answers out of order")
    if failure := result.io or result.ia:
        raise failure
    if result.success is None:
        raise TApplicationException(TApplicationException.MISSING_RESULT, "an answer without one")
    return bool(result.success)


def _wait_until(deadline: float, connection: Connection) -> None:
    connection.transport.sock.settimeout(max(deadline - time.monotonic(), _MOMENT_SECONDS))


def _protocol(connection: Connection) -> Any:
    """It keeps nothing: what was read too far ahead is in the connection's transport."""
    return TBinaryProtocol(connection.transport, decode_response=False)  # type: ignore[no-untyped-call]
