"""Channels that spread calls over all healthy replicas of a service."""

import json

import grpc

from recsys.runtime.grpc.server import MAX_MESSAGE_BYTES

_NEVER_MS = 2**31 - 1


def open_channel(target: str, service: str) -> "grpc.aio.Channel":
    """Connect to the replicas behind `target`; make it inside the running event loop.

    Args:
        target: "dns:///host:port", or "ipv4:a:port,b:port" for fixed replicas.
        service: full name of the service whose health decides which replicas get calls.
    """
    balancing = [
        ("grpc.service_config", json.dumps(_service_config(service))),
        # New replicas are found by asking DNS again, when a connection breaks, at most this often.
        ("grpc.dns_min_time_between_resolutions_ms", 2_000),
    ]
    return grpc.aio.insecure_channel(target, options=_options() + balancing)


def open_replica_channel(address: str) -> "grpc.aio.Channel":
    """Connect to one replica, "HOST:PORT", for a caller that does the balancing itself."""
    # Otherwise two channels to one address would share a connection, and its fate.
    own = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(address, options=_options() + own)


def _options() -> list[tuple[str, str | int]]:
    return [
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        # A dead peer that never closed its connection is noticed within these two.
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 2_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 1_000),
        # A replica that is back is needed at once: the others may be the next to go.
        ("grpc.max_reconnect_backoff_ms", 250),
        # An idle channel would disconnect and look unready to /readyz.
        ("grpc.client_idle_timeout_ms", _NEVER_MS),
    ]


def _service_config(service: str) -> dict[str, object]:
    """No `timeout` here: below about two seconds it fails every call. Each call passes its own."""
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": service},
    }
