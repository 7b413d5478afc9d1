"""Structured logs: one JSON object a line, with a constant event name and the request's id."""

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from textwrap import indent
from types import TracebackType

import structlog
from structlog.typing import Processor

from recsys.core.errors import RecsysError

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

# Errors whose words are our own or the operating system's.
_QUOTING_NOBODY = (RecsysError, OSError)


class _Output:
    """Standard output, for as long as anybody reads it.

    When the process that collects the logs has died, a request must not fail for it.
    """

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stdout.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stdout.flush()


def configure_logging(service: str, instance: str, level: str = "info") -> None:
    """Send structlog's and the standard library's logs to stdout as JSON lines.

    Every line carries `service` and `instance`, and `request_id` where one is bound.
    """

    def add_origin(_logger: object, _method: str, event: structlog.types.EventDict) -> dict:  # type: ignore[type-arg]
        return {"service": service, "instance": instance, **event}

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_origin,
        structlog.processors.ExceptionRenderer(format_without_words),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(_Output()),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    _configure_libraries(shared, level)


def _configure_libraries(shared: list[Processor], level: str) -> None:
    """Give lines of uvicorn, grpc and others the same form."""
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(LEVELS[level])


def format_without_words(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> str:
    """Render a traceback without the words of errors that may quote what a caller sent.

    A KeyError quotes its key, pydantic the whole input. The type and the lines it came through
    tell where to look; words are kept where they are our own or the operating system's.
    """
    return "".join(_traceback_lines(exc_info[1], frozenset())).rstrip("\n")


def _traceback_lines(error: BaseException, told: frozenset[int]) -> Iterator[str]:
    """Causes first, as Python prints them; `told` ends a circle of causes."""
    told |= {id(error)}
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in told:
        yield from _traceback_lines(before, told)
        yield "\nThen came:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    yield f"{name}: {error}\n" if isinstance(error, _QUOTING_NOBODY) else f"{name}\n"
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield indent("".join(_traceback_lines(each, told)), "  | ")
