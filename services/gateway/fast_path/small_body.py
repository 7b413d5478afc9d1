"""A small body that is there already: looked at, and received again by whoever comes next."""

import asyncio

from starlette.types import Message, Receive, Scope

from services.gateway.fast_path.accepted_request import header

# Some hundred events. A body that needs a while to arrive is waited for elsewhere.
_SMALL_BODY_BYTES = 64 * 1024
_PROMPT_SECONDS = 1.0


class Receiver:
    """Receives messages; the first can be looked at, and is received again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._first: Message | None = None

    async def __call__(self) -> Message:
        first, self._first = self._first, None
        return await self._receive() if first is None else first

    async def small_json(self, scope: Scope) -> bytes | None:
        """The body, not yet parsed; None where it is not said to be small and plain JSON.

        Raises TimeoutError where it takes a while; it can be received later.
        """
        if not _announces_small_json(scope):
            return None
        async with asyncio.timeout(_PROMPT_SECONDS):
            self._first = message = await self._receive()
        is_whole = message["type"] == "http.request" and not message.get("more_body")
        return message["body"] if is_whole else None


def _announces_small_json(scope: Scope) -> bool:
    """Whether a body is said to be plain JSON, and small: then it is there, or soon will be."""
    length = header(scope, b"content-length") or b""
    return (
        header(scope, b"content-type") == b"application/json"
        and header(scope, b"content-encoding") is None
        and length.isdigit()
        and int(length) <= _SMALL_BODY_BYTES
    )
