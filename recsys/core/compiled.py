"""Loops that are compiled, and the arrays that they take."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

_Kind = TypeVar("_Kind", bound=np.generic)


def cached_njit(**options: Any) -> Callable[[Any], Any]:
    """`numba.njit` that compiles once a machine.

    Where neither the folder of the source, nor the user's cache, nor $NUMBA_CACHE_DIR can be
    written, each process compiles for itself.
    """

    def decorated(function: Any) -> Any:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:
            # Nothing but "no locator available": functions are compiled when they are called.
            return njit(**options)(function)

    return decorated


# They let go of the interpreter's lock. All liberties with floats but "no infinities": -inf is no
# score.
compiled = cached_njit(nogil=True, fastmath={"nnan", "nsz", "contract", "reassoc"})


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
