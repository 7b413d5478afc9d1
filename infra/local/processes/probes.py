"""Is it really working? Each probe makes the call a user would, bounded to a few seconds."""

import socket
import ssl
from collections.abc import Iterable
from pathlib import Path

import grpc
import happybase
import httpx
import redis
from grpc_health.v1 import health_pb2, health_pb2_grpc

from recsys.stores.hbase.address import thrift_address

_TIMEOUT_SECONDS = 3.0


class NotServing(Exception):
    """It answers, and says that it cannot work."""


def tcp(host: str, ports: Iterable[int]) -> None:
    """Connect to each of the ports."""
    for port in ports:
        socket.create_connection((host, port), _TIMEOUT_SECONDS).close()


def hbase(address: str) -> None:
    """List the tables through the Thrift server: its port opens seconds before that works."""
    server = thrift_address(address)
    connection = happybase.Connection(
        server.host, server.port, timeout=int(_TIMEOUT_SECONDS * 1000)
    )
    try:
        connection.tables()
    finally:
        connection.close()


def redis_ping(url: str) -> None:
    with redis.Redis.from_url(
        url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
    ) as client:
        client.ping()


def grpc_health(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_SECONDS
        )
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        raise NotServing(f"gRPC health says {answer.status}")


def http_ready(url: str, ca: Path | None = None) -> None:
    """GET `url`/readyz must answer 200; over TLS, with a certificate signed by `ca`."""
    verify = ssl.create_default_context(cafile=ca) if ca else True
    # trust_env off: a proxy configured for the internet has no business on loopback.
    answer = httpx.get(f"{url}/readyz", timeout=_TIMEOUT_SECONDS, verify=verify, trust_env=False)
    if answer.status_code != httpx.codes.OK:
        raise NotServing(f"/readyz answers {answer.status_code}: {answer.text[:200]}")
