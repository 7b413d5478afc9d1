"""Loops that are compiled, and the arrays that they take."""

from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

_Kind = TypeVar("_Kind", bound=np.generic)

# They let go of the interpreter's lock, and are compiled once a machine. All liberties with floats
# but "no infinities": -inf is no score.
compiled = njit(nogil=True, cache=True, fastmath={"nnan", "nsz", "contract", "reassoc"})


def well_behaved(array: NDArray[_Kind]) -> NDArray[_Kind]:
    """The array, or a copy where its memory is read-only, scattered or not aligned.

    Each kind of memory would be compiled for anew, at the first request that brings it.
    """
    flags: Any = array.flags
    return array if flags.carray else array.copy()


@compiled
def dot(one, other):  # type: ignore[no-untyped-def]
    """The product of two vectors of single precision."""
    found = np.float32(0)
    for place in range(len(other)):
        found += one[place] * other[place]
    return found
