"""Python's collector of cyclic garbage and glibc's heap, told what a server is like.

The collector looks through all objects again and again, and most of a server's stay: that took a
third of a busy recommender's time. What is freed by reference counts is freed as ever.
"""

import ctypes
import gc

# New objects, less freed ones, between two looks at the young; looks at the young between two at
# the old. A request makes no cycles, so looking seldom costs little memory.
_THRESHOLDS = 50_000, 20, 100

# Of glibc; other C libraries have none, and no arenas either that would keep what was freed.
_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)


def tune_gc() -> None:
    """To be called once, when all is imported and wired.

    What is there is not looked at any more. Nothing that comes later may be treated so: whatever
    forms a cycle and is frozen while it is in use is never freed.
    """
    gc.set_threshold(*_THRESHOLDS)
    gc.collect()
    gc.freeze()


def give_memory_back() -> None:
    """To be called after something large was freed; takes some milliseconds.

    Old objects are looked at by nothing else. glibc would keep most freed pages: the more memory an
    array took, the larger the ones it thinks worth keeping room for.
    """
    gc.collect()
    if _malloc_trim is not None:
        _malloc_trim(0)
