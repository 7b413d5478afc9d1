"""The real HAProxy with the real configuration, on ports of a test's own."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.free_port import free_port
from infra.local.servers import haproxy
from infra.local.settings import Settings

# That of the configuration.
PATIENCE_MS = 500


@contextmanager
def on_free_ports(home: Path) -> Iterator[Settings]:
    settings = Settings.load("main", {}, home)
    ports = {
        field.name: free_port()
        for field in fields(settings.ports)
        if field.name in ("http", "https", "stats", "storefront")
        or field.name.startswith("gateway")
    }
    # Socket paths must be short, which pytest's folders are not.
    with TemporaryDirectory() as run_dir:
        yield replace(settings, ports=replace(settings.ports, **ports), run_dir=Path(run_dir))


@asynccontextmanager
async def balancing(
    settings: Settings, patience_ms: int = PATIENCE_MS
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a balancer that has just begun to listen, and logs to `log_of(settings)`.

    Args:
        patience_ms: how long more than half of the usual places may be taken before anybody is
            turned away, for a test that needs longer to fill them on a busy machine.
    """
    haproxy.render(settings)
    config = settings.config / "haproxy.cfg"
    text = config.read_text("utf-8")
    assert text.count(f"_were_few) gt {PATIENCE_MS}\n") == 2
    config.write_text(
        text.replace(f"_were_few) gt {PATIENCE_MS}\n", f"_were_few) gt {patience_ms}\n")
    )
    program = haproxy.program(settings)
    limits = httpx.Limits(max_connections=300, max_keepalive_connections=300)
    async with httpx.AsyncClient(
        base_url=settings.url, limits=limits, timeout=10, trust_env=False
    ) as client:
        with log_of(settings).open("ab") as log:
            process = subprocess.Popen(
                program.command,
                env=os.environ | program.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            await _listens(settings.ports.http, process, log_of(settings))
            yield client
        finally:
            process.kill()
            process.wait()


def log_of(settings: Settings) -> Path:
    return settings.config / "haproxy.log"


async def _listens(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    async with asyncio.timeout(10):
        while True:
            assert process.poll() is None, f"HAProxy has ended: {log.read_text()}"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.005)
            else:
                writer.close()
                return


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def until_served(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while (await client.get("/livez")).status_code != 200:
            await asyncio.sleep(0.005)
