"""Limits of StreamAnswers that both of its ends keep to."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

# Of one request. More would answer no faster, and make the first ones wait for the last.
MAX_QUESTIONS = 64
# Of one stream, read and not yet answered: more than wait for fold-in at once, and few enough that
# their answers, of half a megabyte in the worst case, fit into memory.
MAX_QUESTIONS_UNDER_WAY = 512
# A message takes no further part beyond this size: far below MAX_MESSAGE_BYTES, and one alone has
# room for the longest answer (a hundred items of 1,256 characters, of 6 bytes at most in JSON).
PIECE_BYTES = 1024 * 1024

_Part = TypeVar("_Part")


def in_pieces(
    parts: Iterable[_Part], max_bytes_of: Callable[[_Part], int]
) -> Iterator[list[_Part]]:
    """Parts of messages, in order, as many together as may share one message."""
    piece: list[_Part] = []
    size = 0
    for part in parts:
        max_bytes = max_bytes_of(part)
        if piece and size + max_bytes > PIECE_BYTES:
            yield piece
            piece, size = [], 0
        piece.append(part)
        size += max_bytes
    if piece:
        yield piece
