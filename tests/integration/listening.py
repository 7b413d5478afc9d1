"""A server of a test's own on loopback, which leaves no connection open when it ends."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Conversation = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# More than the turns of the loop from a connection that is accepted to its conversation.
_TURNS_TO_A_CONVERSATION = 10


@asynccontextmanager
async def listening(
    converse: Conversation, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Let each connection converse, until the end of the block; gives the port.

    asyncio closes neither the connections of a server that is closed, nor those of conversations
    that are cancelled, nor one that it accepts in the turn in which the server is closed. What is
    left open is found by the garbage collection of a later test.

    Args:
        converse: ends when the other side does, or is cancelled. Its writer is closed for it.
    """
    conversations: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations[task] = writer
        try:
            await converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    # As many connections may wait to be taken as before a real gateway, which uvicorn serves.
    server = await asyncio.start_server(until_closed, "127.0.0.1", port, ssl=tls, backlog=2048)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for listener in server.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(_TURNS_TO_A_CONVERSATION):
            await asyncio.sleep(0)
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        for writer in conversations.values():
            writer.transport.abort()
        # The turn in which the transports give back their sockets.
        await asyncio.sleep(0)
