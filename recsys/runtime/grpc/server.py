"""Common ground of our gRPC servers: limits, keepalive, the address they take."""

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection

from recsys.config.address import Address
from recsys.core.errors import ConfigurationError

# A body of the REST API, and half as much again for the numbers in it: digits become doubles.
MAX_MESSAGE_BYTES = 12 * 1024 * 1024
MIN_PING_INTERVAL_MS = 5_000

SERVER_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Without this a second process would silently share the port of the first.
    ("grpc.so_reuseport", 0),
    # A client that is sent away looks its target up again, and so finds replicas added since.
    ("grpc.max_connection_age_ms", 60_000),
    # Streams that are open by then stay on the old connection for as long as they like.
    ("grpc.max_connection_age_grace_ms", 2**31 - 1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Must allow the pings of recsys.runtime.grpc.channel, or the server hangs up on them.
    ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_INTERVAL_MS),
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
# The health of the whole server, asked for by probes that know no service names.
WHOLE_SERVER = ""


def bind(server: "grpc.Server | grpc.aio.Server", address: Address) -> int:
    """Take the address and return its port.

    Raises:
        ConfigurationError: when it is taken or not of this machine.
    """
    try:
        return server.add_insecure_port(str(address))
    except RuntimeError as error:
        raise ConfigurationError(
            f"RECSYS_LISTEN: cannot listen on {address}; another process may have this port"
        ) from error


def enable_reflection(server: "grpc.Server | grpc.aio.Server", service: str) -> None:
    """Let tools such as grpcurl ask which methods there are."""
    reflection.enable_server_reflection((service, reflection.SERVICE_NAME), server)
