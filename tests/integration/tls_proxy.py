"""TLS before a Redis that has none: the wheel's server is built without it."""

import asyncio
import ssl
import threading
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from infra.local.servers.certificates import make_certificate
from tests.integration.listening import listening


class TlsProxy:
    """Listens on loopback with a certificate of its own and passes on what it decrypts.

    Attributes:
        ca: the file of the certificate that clients must trust.
        port: where it listens.
    """

    def __init__(self, target_port: int, folder: Path) -> None:
        server, ca = make_certificate(datetime.now(UTC))
        self.ca, certificate = folder / "ca.pem", folder / "server.pem"
        self.ca.write_text(ca)
        certificate.write_text(server)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self._target_port = target_port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "TlsProxy":
        self._thread.start()
        assert self._ready.wait(timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(timeout=10)

    async def _serve(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        async with listening(self._connect, tls=self._context) as self.port:
            self._ready.set()
            await self._done.wait()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection("127.0.0.1", self._target_port)
        with closing(to_redis):
            await asyncio.gather(_pass_on(reader, to_redis), _pass_on(from_redis, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 20):
            writer.write(data)
            await writer.drain()
    writer.close()
