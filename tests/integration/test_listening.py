"""The server of other tests leaves nothing open, whenever it ends."""

import asyncio
import contextlib
import gc
import socket

import pytest

from tests.integration.listening import listening


async def until_the_other_side_ends(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    await reader.read()


@pytest.mark.parametrize("turns", range(8))
def test_a_connection_is_closed_that_comes_as_the_server_ends(turns: int) -> None:
    async def scenario() -> bytes:
        async with listening(until_the_other_side_ends) as port:
            client = socket.create_connection(("127.0.0.1", port))
            for _ in range(turns):
                await asyncio.sleep(0)
        with client:
            client.settimeout(5)
            return client.recv(1)

    with contextlib.suppress(ConnectionResetError):
        assert asyncio.run(scenario()) == b""
    # Raises, by pytest, for what is still open.
    gc.collect()
