"""Tracebacks for logs that must not name a shopper.

What an exception says may quote what a caller sent: a KeyError its key, pydantic the whole input.
Its type and the lines it came through tell where to look; words are kept where they are our own or
the operating system's.
"""

import traceback
from collections.abc import Iterator
from textwrap import indent
from types import TracebackType

from recsys.core.errors import RecsysError

_QUOTING_NOBODY = (RecsysError, OSError)


def format_without_words(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> str:
    return "".join(_lines(exc_info[1], frozenset())).rstrip("\n")


def _lines(error: BaseException, told: frozenset[int]) -> Iterator[str]:
    """Causes first, as Python prints them; `told` ends a circle of causes."""
    told |= {id(error)}
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in told:
        yield from _lines(before, told)
        yield "\nThen came:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    yield f"{name}: {error}\n" if isinstance(error, _QUOTING_NOBODY) else f"{name}\n"
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield indent("".join(_lines(each, told)), "  | ")
