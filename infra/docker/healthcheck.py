"""Is the service of this container well? `python healthcheck.py grpc|http` exits with 0 if so.

Asks the service itself, at the port of RECSYS_LISTEN, so that the image needs no further program.
"""

import http.client
import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from recsys.config.address import parse_address

_LOOPBACK = "127.0.0.1"
_TIMEOUT_SECONDS = 3.0


def grpc_serves(port: int) -> bool:
    """Ask the server's gRPC health service; true when it says SERVING."""
    try:
        with grpc.insecure_channel(f"{_LOOPBACK}:{port}") as channel:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=_TIMEOUT_SECONDS
            )
    except grpc.RpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def http_lives(port: int) -> bool:
    """Ask for /livez; true when the response is 200."""
    connection = http.client.HTTPConnection(_LOOPBACK, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> None:
    probe = {"grpc": grpc_serves, "http": http_lives}[sys.argv[1]]
    sys.exit(0 if probe(parse_address(os.environ["RECSYS_LISTEN"]).port) else 1)


if __name__ == "__main__":
    main()
