"""Structured logs: one JSON object a line, with a constant event name and the request's id."""

import logging
import sys
from contextlib import suppress

import structlog
from structlog.typing import Processor

from recsys.runtime.tracebacks import format_without_words

LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


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
