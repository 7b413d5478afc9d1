"""The load generator: vegeta, which keeps to its schedule however slow the answers are.

wrk and hey have no schedule. h2load has one for each connection, all of which tick at once, counts
latency from the sending of a request that may have waited its turn, and lets all connections walk
through the same list of requests in step.
"""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.hits import Hits, read_hits

INSTALL = (
    "vegeta is needed: `go install github.com/tsenart/vegeta/v12@v12.13.0`, then have it on PATH "
    "or in ~/go/bin, or name it with --vegeta"
)
_TIMEOUT_SECONDS = 10
# To connect, to wait for the last answers and to write them down.
_MARGIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a list; `body` is JSON."""

    path: str
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Closed:
    """So many connections, each of which asks again as soon as it is answered."""

    connections: int

    def arguments(self) -> list[str]:
        workers = ("workers", "max-workers", "connections", "max-connections")
        return ["-rate=0", *(f"-{name}={self.connections}" for name in workers)]


@dataclass(frozen=True, slots=True)
class Open:
    """So many requests a second, evenly, whatever becomes of those before."""

    per_second: int

    def arguments(self) -> list[str]:
        return [f"-rate={self.per_second}/1s"]


@dataclass(frozen=True, slots=True)
class Vegeta:
    """The program of that name."""

    program: str

    def attack(
        self,
        url: str,
        headers: dict[str, str],
        requests: Iterable[Request],
        load: Closed | Open,
        seconds: float,
        *,
        http2: bool = False,
    ) -> Hits:
        """Send the requests in their order, from the first again after the last.

        Args:
            http2: over one connection, without TLS; otherwise HTTP/1.1.

        Raises SystemExit if vegeta fails; an answer that is no good one is among the hits.
        """
        with tempfile.TemporaryDirectory() as name:
            targets, results = Path(name, "targets"), Path(name, "results")
            lines = (_target(url, headers, request) for request in requests)
            targets.write_text("".join(lines), encoding="utf-8")
            options = [f"-targets={targets}", f"-output={results}", f"-duration={seconds}s"]
            options += ["-format=json", "-max-body=0", f"-timeout={_TIMEOUT_SECONDS}s"]
            options += ["-h2c"] if http2 else []
            self._run(seconds, "attack", *options, *load.arguments())
            rate = load.per_second if isinstance(load, Open) else None
            return read_hits(self._run(0, "encode", "-to=csv", str(results)), rate)

    def _run(self, seconds: float, *arguments: str) -> str:
        done = subprocess.run(
            [self.program, *arguments],
            capture_output=True,
            text=True,
            timeout=seconds + _MARGIN_SECONDS,
        )
        if done.returncode:
            raise SystemExit(f"vegeta {arguments[0]} failed: {done.stderr[-2000:]}")
        return done.stdout


def find_vegeta(named: str) -> Vegeta:
    """Raises SystemExit, saying how to install it, where there is none."""
    where = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path.home() / "go" / "bin")])
    program = shutil.which(named, path=where)
    if program is None:
        raise SystemExit(INSTALL)
    return Vegeta(program)


def _target(url: str, headers: dict[str, str], request: Request) -> str:
    target: dict[str, object] = {
        "method": request.method,
        "url": url + request.path,
        "header": {name: [value] for name, value in headers.items()},
    }
    if request.body:
        target["body"] = base64.b64encode(request.body).decode()
    return json.dumps(target) + "\n"
