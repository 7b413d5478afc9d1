"""An API whose answers a test writes down, for either client."""

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any

import httpx
from recsys_client import AsyncClient, Client, Retries

PROBLEM = {
    "type": "/problems/unavailable",
    "title": "A service is unavailable",
    "status": 503,
    "detail": "come again",
    "instance": "/v1/events",
    "request_id": "r-1",
}
AT_ONCE = Retries(first_wait_seconds=0.001)

Answer = httpx.Response | Exception
Handler = Callable[[httpx.Request], httpx.Response]


def good(body: object) -> httpx.Response:
    return httpx.Response(200, json=body)


def problem(status: int, **changes: Any) -> httpx.Response:
    """An error as the gateway answers it; `retry_after` is a header."""
    headers = {"Content-Type": "application/problem+json"}
    if "retry_after" in changes:
        headers["Retry-After"] = changes.pop("retry_after")
    return httpx.Response(status, headers=headers, json=PROBLEM | {"status": status} | changes)


def recorded(request: httpx.Request) -> httpx.Response:
    """The answer to events that are all accepted."""
    events = json.loads(request.content)["events"]
    results = [
        {"index": n, "status": "accepted", "event_id": event["event_id"], "problems": []}
        for n, event in enumerate(events)
    ]
    counts = {"accepted": len(events), "duplicate": 0, "rejected": 0, "degraded": False}
    return good(counts | {"results": results, "request_id": "r"})


class FakeApi:
    """Answers with one after the other, then accepts events.

    Attributes:
        requests: as they came.
    """

    def __init__(self, answers: Iterable[Answer] = ()) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = iter(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = next(self._answers, None)
        if isinstance(answer, Exception):
            raise answer
        # A new one: a test may name it twice, and a response is read once.
        return recorded(request) if answer is None else _copy(answer)

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]

    def events(self) -> list[dict[str, Any]]:
        return [event for body in self.bodies() for event in body["events"]]

    def client(self, **options: Any) -> Client:
        options = {"retries": AT_ONCE, **options}
        return Client("http://api", "key", transport=httpx.MockTransport(self), **options)

    def async_client(self, **options: Any) -> AsyncClient:
        options = {"retries": AT_ONCE, **options}
        return AsyncClient("http://api", "key", transport=httpx.MockTransport(self), **options)

    def calls(self, method: str, *arguments: Any, **options: Any) -> list[Callable[[], Any]]:
        """The same call of both clients."""

        async def awaited() -> Any:
            async with self.async_client() as client:
                return await getattr(client, method)(*arguments, **options)

        def blocking() -> Any:
            with self.client() as client:
                return getattr(client, method)(*arguments, **options)

        return [blocking, lambda: asyncio.run(awaited())]


def _copy(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
