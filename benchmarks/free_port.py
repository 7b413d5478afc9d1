"""Ports for servers of a test or benchmark that must be told one before they start."""

import random
import socket
from contextlib import suppress

# Between those of the stacks, and below those that any client's connection may be given: a port
# from there can be taken in the moment before the server binds it.
_PORTS = range(10_000, 15_000)
# Each process begins elsewhere and goes round, so that none is given twice and two sessions beside
# each other do not meet.
_next = random.choice(_PORTS)


def free_port() -> int:
    """Return a port of loopback that nothing listens on, each time another one."""
    global _next
    for _ in _PORTS:
        port = _next
        _next = port + 1 if port + 1 in _PORTS else _PORTS.start
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError(f"no port of 127.0.0.1 from {_PORTS.start} to {_PORTS.stop} is free")
