"""How calls are made, by whichever client: how long they may take, and the request itself."""

import re
import time
from dataclasses import dataclass
from typing import Any

import httpx

from recsys_client.calls import Call
from recsys_client.errors import RecsysError
from recsys_client.retries import Retries

# A page is better off without a list than late. A write waits until it is durable, for which the
# gateway gives itself 5 s.
READ_SECONDS = 2.0
WRITE_SECONDS = 6.0
RETRIES = Retries()
# What a header takes, but for spaces, which no key has.
_KEY = re.compile(r"[!-~]*")


def key_headers(api_key: str) -> dict[str, str]:
    """The headers of every request.

    Raises:
        ValueError: the key cannot stand in a header. Its text is not told: messages end in logs.
    """
    if not _KEY.fullmatch(api_key):
        raise ValueError(
            "api_key has white space or a character that no key has: "
            "what was read from a file ends with a line break, which strip() takes away"
        )
    return {"X-API-Key": api_key}


@dataclass(frozen=True, slots=True)
class CallSettings:
    """What bounds a call, all attempts together."""

    read_seconds: float
    write_seconds: float
    retries: Retries

    def deadline(self, call: Call[Any]) -> float:
        return time.monotonic() + (self.write_seconds if call.is_write else self.read_seconds)

    def wait_seconds(self, attempt: int, error: RecsysError, deadline: float) -> float | None:
        """How long to wait before the next attempt; None: there is none."""
        return self.retries.wait_seconds(attempt, error, deadline - time.monotonic())


def build_request(
    http: httpx.Client | httpx.AsyncClient, call: Call[Any], deadline: float
) -> httpx.Request:
    """The request of one attempt, whose every phase ends by the deadline.

    Raises:
        ValueError: the URL is longer than any server takes.
    """
    try:
        return http.build_request(
            *(call.method, call.path),
            params=call.params,
            content=call.json(),
            headers={} if call.body is None else {"Content-Type": "application/json"},
            timeout=max(deadline - time.monotonic(), 0.001),
        )
    except httpx.InvalidURL as error:
        reason = f"{error}: a placement takes filters and items to leave out in its body"
        raise ValueError(reason) from None
