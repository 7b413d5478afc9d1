"""Metrics of a service for Prometheus: one registry a process, handed to its parts.

Also how busy the process is, and a port to read them from.

Bound label values are kept, so that counting on the hot path is one look-up and one addition.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    start_http_server,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from recsys.config.address import Address
from recsys.core.errors import ConfigurationError

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# For requests that fit no route: their paths are the caller's, and without end.
UNKNOWN_ROUTE = "unknown"

_SECONDS_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

# Of the use of the processor: how often it is read, and what a figure is the mean of.
_EVERY_SECONDS = 0.5
WINDOW_SECONDS = 2.0

_log = structlog.get_logger()

_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)
_Label = str | int | bool
_Labels = _Label | tuple[_Label, ...]


class Labelled(dict[_Labels, _Metric]):
    """A metric by its label values, each resolved once: `answers["stored", False].inc()`."""

    def __init__(self, metric: _Metric) -> None:
        super().__init__()
        self._metric: _Metric = metric

    def __missing__(self, labels: _Labels) -> _Metric:
        values = labels if isinstance(labels, tuple) else (labels,)
        child: _Metric = self._metric.labels(*map(_text, values))
        self[labels] = child
        return child


class RequestMetrics:
    """Requests of a service, whatever became of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        total = Counter(
            "recsys_requests_total",
            "Requests answered, refused or failed.",
            ["route", "status"],
            registry=registry,
        )
        seconds = Histogram(
            "recsys_request_seconds",
            "From a request's arrival to its answer, whatever its status.",
            ["route"],
            buckets=_SECONDS_BUCKETS,
            registry=registry,
        )
        self._in_flight = Gauge("recsys_in_flight", "Requests under way.", registry=registry)
        self._total, self._seconds = Labelled(total), Labelled(seconds)

    def begin(self) -> float:
        """Count a request as under way; returns what `end` must be given."""
        self._in_flight.inc()
        return time.perf_counter()

    def end(self, route: str, status: str | int, begun: float) -> float:
        """Count what became of it.

        Args:
            route: its template, never a path: paths hold ids and have no end.
            status: of HTTP, or the name of gRPC's.

        Returns:
            The seconds it took.
        """
        seconds = time.perf_counter() - begun
        self._in_flight.dec()
        self._total[route, status].inc()
        self._seconds[route].observe(seconds)
        return seconds

    def count_failure(self, route: str, status: str) -> None:
        """Count a failed stream, which takes as long as both ends like."""
        self._total[route, status].inc()


@dataclass(frozen=True, slots=True)
class Metrics:
    """All that a service counts.

    Attributes:
        answers: recommendations by (source, degraded).
        auth_failures: requests without a key that allows them, by what is wrong with it: missing,
            wrong or scope.
        shed: requests turned away by reason, before any work was done for them.
        cache: look-ups by result.
        breaker_open: 1 while a dependency is not asked, by (service, dependency).
        model_refused: published versions that were not loaded, by tenant.
        settings_refused: changes of a file of settings that were not taken, by the kind of file.
        model_loaded: unix seconds of the last model that was, by tenant.
        model_data: unix seconds at which the behaviour that the model was made of was read, by
            tenant.
        model_published: 1 while the store names a version that should serve, 0 while it names none,
            by tenant.
        busy_ratio: see `BusySampler`.
    """

    registry: CollectorRegistry
    requests: RequestMetrics
    answers: Labelled[Counter]
    auth_failures: Labelled[Counter]
    shed: Labelled[Counter]
    cache: Labelled[Counter]
    breaker_open: Labelled[Gauge]
    model_refused: Labelled[Counter]
    settings_refused: Labelled[Counter]
    model_loaded: Labelled[Gauge]
    model_data: Labelled[Gauge]
    model_published: Labelled[Gauge]
    busy_ratio: Gauge

    def show_recommenders(self, count_ready: Callable[[], float]) -> None:
        """Show how many recommenders a gateway may ask: of another service it would be 0."""
        Gauge(
            "recsys_recommenders_ready",
            "Replicas that this gateway may ask.",
            registry=self.registry,
        ).set_function(count_ready)

    def show_clock(self, ahead_seconds: Callable[[], float]) -> None:
        """Show how far this clock is ahead of Redis's; of services that note when events came."""
        Gauge(
            "recsys_clock_ahead_seconds", "Of this clock before Redis's.", registry=self.registry
        ).set_function(ahead_seconds)

    def exposition(self) -> bytes:
        """All values now, in the text format CONTENT_TYPE."""
        return generate_latest(self.registry)


def new_metrics() -> Metrics:
    """Metrics of one process, or of one test; those of the process itself are among them."""
    # Twice the lines, for a time nobody asks for.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)

    def counter(name: str, text: str, *labels: str) -> Labelled[Counter]:
        return Labelled(Counter(name, text, labels, registry=registry))

    def gauge(name: str, text: str, *labels: str) -> Labelled[Gauge]:
        return Labelled(Gauge(name, text, labels, registry=registry))

    return Metrics(
        registry=registry,
        requests=RequestMetrics(registry),
        answers=counter("recsys_answers_total", "Recommendations.", "source", "degraded"),
        auth_failures=counter(
            "recsys_auth_failures_total", "Requests without a fit key.", "reason"
        ),
        shed=counter("recsys_shed_total", "Requests turned away to stay quick.", "reason"),
        cache=counter("recsys_cache_total", "Look-ups in the cache.", "result"),
        breaker_open=gauge(
            "recsys_breaker_open", "1 while it is not asked.", "service", "dependency"
        ),
        model_refused=counter("recsys_model_refused_total", "Damaged versions.", "tenant"),
        settings_refused=counter("recsys_settings_refused_total", "Broken files.", "file"),
        model_loaded=gauge("recsys_model_loaded_timestamp_seconds", "Last swap.", "tenant"),
        model_data=gauge("recsys_model_data_timestamp_seconds", "Behaviour was read.", "tenant"),
        model_published=gauge("recsys_model_published", "1 while a version is named.", "tenant"),
        busy_ratio=Gauge("recsys_busy_ratio", "Share of a core, lately.", registry=registry),
    )


def _text(label: _Label) -> str:
    return str(label).lower() if isinstance(label, bool) else str(label)


class BusySampler:
    """Keeps a gauge at the share of one core that this process used over the last two seconds.

    It is the figure by which services are scaled.

    It costs requests nothing: the kernel counts, and a thread reads the count now and then. A
    Python process can hardly use more than one core, so near 1 it needs help.
    """

    def __init__(self, gauge: Gauge, every_seconds: float = _EVERY_SECONDS) -> None:
        self._gauge = gauge
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="busy-sampler", daemon=True)

    def __enter__(self) -> "BusySampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        readings = deque([_reading()], maxlen=1 + round(WINDOW_SECONDS / self._every_seconds))
        while not self._stopped.wait(self._every_seconds):
            readings.append(_reading())
            self._gauge.set(busy_ratio(readings[0], readings[-1]))


def busy_ratio(first: tuple[float, float], last: tuple[float, float]) -> float:
    """CPU seconds per second between two readings of (wall clock, CPU time)."""
    wall_seconds, cpu_seconds = (after - before for before, after in zip(first, last, strict=True))
    return cpu_seconds / wall_seconds


def _reading() -> tuple[float, float]:
    return time.monotonic(), time.process_time()


@contextmanager
def observed(metrics: Metrics, listen: Address | None) -> Iterator[None]:
    """Keep the metrics up to date and, given an address, serve them there for the block.

    For a service that speaks no HTTP itself.

    Raises:
        ConfigurationError: when the address cannot be had.
    """
    with BusySampler(metrics.busy_ratio):
        if listen is None:
            yield
            return
        try:
            server, thread = start_http_server(listen.port, listen.host, metrics.registry)
        except OSError as error:
            raise ConfigurationError(
                f"RECSYS_METRICS_LISTEN: cannot listen on {listen}: {error.strerror}"
            ) from error
        _log.info("metrics_served", address=str(Address(listen.host, server.server_port)))
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
