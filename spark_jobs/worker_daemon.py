"""The process that forks Spark's Python workers; Spark starts it by its name.

Spark hangs up on a worker that has had nothing to do for a minute. The worker takes that for a
failure, which it cannot tell whoever hung up, and pyspark's own daemon prints the traceback of that:
one for each worker, in the middle of a good run.
"""

import socket

from pyspark import daemon

_pysparks_worker = daemon.worker


def _worker(sock: socket.socket, authenticated: bool) -> int:  # noqa: FBT001 - pyspark's signature
    """Run tasks until the end. What goes wrong in one is told through the socket, not by raising."""
    try:
        return _pysparks_worker(sock, authenticated)
    except BrokenPipeError:
        return 1


if __name__ == "__main__":
    daemon.worker = _worker
    daemon.manager()
