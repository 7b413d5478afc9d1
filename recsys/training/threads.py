"""Threads of numerical work: how many there are, and what is worth one."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import TypeVar

# Its BLAS must be there when it is looked for.
import numpy as np  # noqa: F401
from threadpoolctl import ThreadpoolController

_Part = TypeVar("_Part")


def available_threads() -> int:
    """Count the threads that this process may run at a time."""
    return len(os.sched_getaffinity(0))


def on_threads(work: Callable[[_Part], None], parts: Iterable[_Part], threads: int) -> None:
    """Do the work of every part, on so many threads.

    A single part is done by the thread that calls: starting another takes longer than a small part.
    """
    parts = list(parts)
    if len(parts) == 1:
        work(parts[0])
        return
    with ThreadPoolExecutor(threads) as executor:
        list(executor.map(work, parts))


def one_blas_thread() -> AbstractContextManager[object]:
    """Keep products of matrices to the thread that asks for them, for the length of the block."""
    return _blas().limit(limits=1, user_api="blas")  # type: ignore[no-any-return]


@cache
def _blas() -> ThreadpoolController:
    # Looking through the libraries of a process takes milliseconds, as long as a small half-step.
    return ThreadpoolController()
