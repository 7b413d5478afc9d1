"""Putting many short stretches of bytes in order, with no Python object for each of them.

Records of varying length are concatenations of parts of varying length. Copying them one by one
costs the interpreter; copying byte by byte through index arrays costs 8 bytes of index for each.
Here a whole stretch is one element of an array: seen through strides of one byte, a buffer is an
array of overlapping elements of any size, and numpy's indexing copies such an element at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]


@dataclass(frozen=True)
class Runs:
    """b stretches of bytes; run i is data[starts[i]:starts[i] + lengths[i]].

    Attributes:
        data: whatever the runs are cut from, 1-d.
        starts, lengths: (b,) in bytes. Runs may overlap, repeat and come in any order.
    """

    data: Bytes
    starts: Offsets
    lengths: Offsets


def repeated(text: bytes, times: int) -> Runs:
    """The same bytes `times` times."""
    return Runs(np.frombuffer(text, np.uint8), np.zeros(times, np.int64), np.full(times, len(text)))


def row_starts(matrix: NDArray[np.generic], lengths: Offsets) -> Runs:
    """The first `lengths[i]` elements of each row of a (b, n) matrix."""
    size = matrix.itemsize
    return Runs(_bytes_of(matrix), np.arange(len(matrix)) * matrix.shape[1] * size, lengths * size)


def slices(values: NDArray[np.generic], indptr: Offsets) -> Runs:
    """values[indptr[i]:indptr[i + 1]] for each i."""
    size = values.itemsize
    return Runs(_bytes_of(values), indptr[:-1] * size, np.diff(indptr) * size)


def total_lengths(parts: Sequence[Runs]) -> Offsets:
    """(b,) bytes of run i of all parts together."""
    lengths: Offsets = np.sum([part.lengths for part in parts], axis=0)
    return lengths


def join(parts: Sequence[Runs]) -> tuple[Bytes, Offsets]:
    """Concatenate run i of every part, for each i of b.

    Returns:
        The bytes, and (b + 1,) offsets: the i-th concatenation is bytes[offsets[i]:offsets[i + 1]].
    """
    lengths = total_lengths(parts)
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    joined = np.empty(offsets[-1], np.uint8)
    places = offsets[:-1].copy()
    for part in parts:
        _copy(part, joined, places)
        places += part.lengths
    return joined, offsets


def _copy(runs: Runs, target: Bytes, places: Offsets) -> None:
    """Copy run i to target[places[i]:], in a handful of numpy calls.

    As memcpy does: runs between s and 2s bytes long are copied by two elements of s bytes, one from
    the start and one up to the end, which may overlap. So a round for each power of two is enough.
    """
    exponents = np.frexp(runs.lengths)[1]
    for exponent in np.flatnonzero(np.bincount(exponents)):
        rows = np.flatnonzero(exponents == exponent)
        starts, places_of_rows, lengths = runs.starts[rows], places[rows], runs.lengths[rows]
        size = int(lengths.min())
        if size == 0:
            continue
        source, destination = _elements(runs.data, size), _elements(target, size)
        destination[places_of_rows] = source[starts]
        rest = lengths - size
        if rest.any():
            destination[places_of_rows + rest] = source[starts + rest]


def _elements(data: Bytes, size: int) -> NDArray[np.void]:
    """Element i is data[i:i + size]; neighbours overlap."""
    count = len(data) - size + 1
    return np.ndarray((count,), dtype=np.dtype((np.void, size)), buffer=data, strides=(1,))


def _bytes_of(values: NDArray[np.generic]) -> Bytes:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)
