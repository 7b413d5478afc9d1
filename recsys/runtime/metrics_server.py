"""The metrics of a service that speaks no HTTP itself, on a port of their own."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import start_http_server

from recsys.config.address import Address
from recsys.core.errors import ConfigurationError
from recsys.runtime.busy_sampler import BusySampler
from recsys.runtime.metrics import Metrics

_log = structlog.get_logger()


@contextmanager
def observed(metrics: Metrics, listen: Address | None) -> Iterator[None]:
    """Keep the metrics up to date and, given an address, serve them there for the block.

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
