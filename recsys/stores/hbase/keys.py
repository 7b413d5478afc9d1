"""Row keys of the interactions table.

    salt (1 byte) | user id | 0x00 | 2^63-1 - milliseconds (8 bytes, big endian) | event id

The salt spreads users over the regions, the 0x00 ends the user id (which never contains one), and
the reversed time puts a user's newest event first. The event id makes a replay the same row.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from recsys.stores.hbase.layout import SALT_BUCKETS

_MAX_INT64 = 2**63 - 1
_REVERSED_TIME = Struct(">Q")
_TIME_BYTES = 8
_SALTS = tuple(bytes([bucket]) for bucket in range(SALT_BUCKETS))


def user_prefix(user_id: str) -> bytes:
    """The bytes that begin the row keys of this user's events and of nobody else's."""
    return _salted(user_id) + b"\0"


def user_key(user_id: str) -> bytes:
    """The row key of what a shop says of a user."""
    return _salted(user_id)


def event_id_key(event_id: str) -> bytes:
    """The row key of an event id's claim."""
    return _salted(event_id)


def _salted(text: str) -> bytes:
    encoded = text.encode()
    return _SALTS[zlib.crc32(encoded) % SALT_BUCKETS] + encoded


def row_key(user_id: str, timestamp_ms: int, event_id: str) -> bytes:
    return user_prefix(user_id) + _REVERSED_TIME.pack(_MAX_INT64 - timestamp_ms) + event_id.encode()


def row_range(user_id: str, start_ms: int, end_ms: int | None) -> tuple[bytes, bytes]:
    """First row and the row after the last of a user's events in start_ms <= time < end_ms."""
    prefix = user_prefix(user_id)
    # A later time is a smaller key: the end of the window is where the scan starts.
    newest = b"" if end_ms is None else _REVERSED_TIME.pack(_MAX_INT64 - max(end_ms, 0) + 1)
    oldest = _REVERSED_TIME.pack(_MAX_INT64 - max(start_ms, 0) + 1)
    return prefix + newest, prefix + oldest


@dataclass(frozen=True, slots=True)
class DecodedKeys:
    """The parts of n row keys: user and event ids as utf-8 bytes, times as int64 milliseconds."""

    user_ids: list[bytes]
    timestamps_ms: NDArray[np.int64]
    event_ids: list[bytes]


def decode(keys: Sequence[bytes]) -> DecodedKeys:
    """Take row keys apart, many at a time.

    Raises:
        ValueError: when a key was not made by `row_key`.
    """
    ends = [_user_end(key) for key in keys]
    pairs = list(zip(keys, ends, strict=True))
    times = b"".join([key[end + 1 : end + 1 + _TIME_BYTES] for key, end in pairs])
    reversed_times = np.frombuffer(times, dtype=">i8").astype(np.int64)
    return DecodedKeys(
        user_ids=[key[1:end] for key, end in pairs],
        timestamps_ms=_MAX_INT64 - reversed_times,
        event_ids=[key[end + 1 + _TIME_BYTES :] for key, end in pairs],
    )


def _user_end(key: bytes) -> int:
    # The salt may itself be 0x00, so the search starts behind it.
    end = key.find(0, 1)
    if end < 0 or len(key) < end + 1 + _TIME_BYTES:
        raise ValueError(f"not a row key of the interactions table: {key!r}")
    return end
