"""Ids <-> rows: an id (`item_id`) is the shop's, an index (`item_index`) a row of a matrix."""

import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import InvalidModel

# The row of an id; None for one that nobody has heard of.
RowOf = Callable[[str], int | None]


class Vocabulary:
    """A fixed, ordered set of ids; position in it is the row of every matrix over it."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = tuple(ids)
        self._index = {identifier: row for row, identifier in enumerate(self._ids)}
        if len(self._index) != len(self._ids):
            raise InvalidModel("a vocabulary names an id twice")

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def id_of(self, index: int) -> str:
        """The id of a row.

        Raises:
            IndexError: when there is no such row; -1 stands for no item in lists, not for the last.
        """
        if index < 0:
            raise IndexError(f"row {index} has no id: lists are padded with such rows")
        return self._ids[index]

    def index_of(self, identifier: str) -> int | None:
        """The row of an id, or None when it is not in the vocabulary."""
        return self._index.get(identifier)


def encode_texts(texts: Iterable[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pack texts as (bytes, offsets): text i is bytes[offsets[i]:offsets[i + 1]] in UTF-8."""
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets


def decode_texts(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> list[str]:
    """The inverse of `encode_texts`.

    Raises:
        InvalidModel: when the offsets do not fit the bytes or those are not UTF-8.
    """
    blob = data.tobytes()
    bounds = offsets.tolist()
    if not bounds or bounds[0] != 0 or bounds[-1] != len(blob) or np.any(np.diff(offsets) < 0):
        raise InvalidModel("text offsets do not fit their bytes")
    try:
        return [blob[start:stop].decode() for start, stop in itertools.pairwise(bounds)]
    except UnicodeDecodeError as error:
        raise InvalidModel("a stored text is not UTF-8") from error
