"""Commands of very many arguments, built as protocol bytes in bulk and sent as they are.

A RESP command is an array of bulk strings: `*3 CRLF $4 CRLF MSET CRLF $3 CRLF key CRLF ...`; a bulk
string tells its length in bytes, then itself (redis.io, "Redis serialization protocol").
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import redis

from recsys.core.vocabulary import encode_texts
from recsys.stores.redis.byte_runs import Offsets, Runs, join, repeated, slices, total_lengths


@dataclass(frozen=True)
class PackedCommand:
    """The bytes of one command: its beginning with the number of arguments, and the arguments."""

    start: bytes
    arguments: memoryview


def packed_commands(
    name: str, arguments: Sequence[Sequence[Runs]], rows_per_command: int
) -> list[PackedCommand]:
    """Commands that together take b rows of arguments.

    Args:
        name: of the command.
        arguments: those of a row, each as its parts: argument i is made of run i of each part.
        rows_per_command: at most; the last command takes what is left.
    """
    data, offsets = join([part for argument in arguments for part in _bulk_strings(argument)])
    rows = len(offsets) - 1
    bounds = [*range(0, rows, rows_per_command), rows]
    return [
        PackedCommand(
            f"*{1 + len(arguments) * (last - first)}\r\n${len(name)}\r\n{name}\r\n".encode(),
            data[offsets[first] : offsets[last]].data,
        )
        for first, last in itertools.pairwise(bounds)
    ]


def execute(client: "redis.Redis", commands: Sequence[PackedCommand]) -> list[Any]:
    """Send commands over one connection of the client, then read their replies.

    Raises:
        redis.RedisError: when the connection fails or any reply is an error. Which of the commands
            took effect is then unknown.
    """
    pool = client.connection_pool
    connection: Any = pool.get_connection()  # redis-py gives only some of its methods types
    try:
        # All in one call: between two of them redis-py may want to check the connection's health,
        # and would take the reply to a command for the one to its PING.
        connection.send_packed_command(
            [piece for command in commands for piece in (command.start, command.arguments)]
        )
        return [connection.read_response() for _ in commands]
    except BaseException:
        # Replies that were not read must not be taken for those of later commands.
        connection.disconnect()
        raise
    finally:
        pool.release(connection)


def _bulk_strings(parts: Sequence[Runs]) -> list[Runs]:
    lengths = total_lengths(parts)
    return [_length_lines(lengths), *parts, repeated(b"\r\n", len(lengths))]


def _length_lines(lengths: Offsets) -> Runs:
    distinct, which = np.unique(lengths, return_inverse=True)
    lines = slices(*encode_texts(f"${length}\r\n" for length in distinct.tolist()))
    return Runs(lines.data, lines.starts[which], lines.lengths[which])
