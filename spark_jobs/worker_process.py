"""The Python process of Spark that runs one task after the other."""

import gc
from functools import cache


@cache
def freeze_gc() -> None:
    """To be called at the end of a task: leaves what is there by now to itself.

    Spark collects garbage after every task, which walks through all that the imports and the
    compiler have made: about 70 ms for numba alone, more than a small task takes.
    """
    gc.collect()
    gc.freeze()
