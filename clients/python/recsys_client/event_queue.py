"""Events sent in the background, in batches: by a thread, or by a task of an event loop."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from recsys_client.async_client import AsyncClient
from recsys_client.client import Client
from recsys_client.errors import EventsNotSent, RecsysError
from recsys_client.event_buffer import EventBuffer, Rejected
from recsys_client.models import Event

# A few hundred kilobytes at most.
_MAX_BATCH = 500
_FLUSH_SECONDS = 1.0
# Some ten megabytes.
_MAX_QUEUED = 10_000
_CLOSE_SECONDS = 10.0

OnRejected = Callable[[Event, str], None]

_log = logging.getLogger("recsys_client")


def _tell(on_rejected: OnRejected, rejected: Rejected) -> None:
    for event, reason in rejected:
        try:
            on_rejected(event, reason)
        except Exception:  # The caller's code must not end the queue.
            _log.exception("on_rejected failed for event %s", event.event_id)


def log_rejected(event: Event, reason: str) -> None:
    """Log that an event is lost, without naming the shopper."""
    _log.error("event %s was rejected: %s", event.event_id, reason)


class EventQueue:
    """Sends events with a client from a thread of its own; to be closed before the client is.

    What must not be lost with the process, such as an order, is better recorded by
    `client.record_events`, which returns when it is durable.

    Args:
        max_batch: events of one request; as many waiting are sent at once.
        flush_seconds: how long an event waits for others.
        max_queued: bounds memory while the API is away.
        on_rejected: called in the thread with each event that the API does not take, and why.
    """

    def __init__(
        self,
        client: Client,
        *,
        max_batch: int = _MAX_BATCH,
        flush_seconds: float = _FLUSH_SECONDS,
        max_queued: int = _MAX_QUEUED,
        on_rejected: OnRejected = log_rejected,
    ) -> None:
        self._client = client
        self._on_rejected = on_rejected
        self._buffer = EventBuffer(max_batch, flush_seconds, max_queued)
        self._changed = threading.Condition()
        # A program that forgets to close it still ends.
        self._thread = threading.Thread(target=self._run, name="recsys-events", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def put(self, event: Event) -> None:
        """Send an event soon; returns at once.

        Raises:
            EventQueueFull: the API is away, or slower than events come.
            EventQueueClosed
        """
        with self._changed:
            self._buffer.put(event, time.monotonic())
            self._changed.notify()

    def close(self, timeout_seconds: float = _CLOSE_SECONDS) -> None:
        """Send what waits, and stop; the last request may take longer than the timeout.

        Raises:
            EventsNotSent: with the events that were left.
        """
        with self._changed:
            self._buffer.close(time.monotonic() + timeout_seconds)
            self._changed.notify()
        self._thread.join()
        if left := self._buffer.left():
            raise EventsNotSent(left)

    def _run(self) -> None:
        while batch := self._next_batch():
            _tell(self._on_rejected, self._send(batch))

    def _next_batch(self) -> list[Event]:
        """Wait for the next batch; none when it is over."""
        with self._changed:
            while not self._buffer.is_over(time.monotonic()):
                wait = self._buffer.seconds_until_due(time.monotonic())
                if wait == 0:
                    return self._buffer.batch()
                self._changed.wait(wait)
        return []

    def _send(self, batch: list[Event]) -> Rejected:
        try:
            answer = self._client.record_events(batch)
        except RecsysError as error:
            with self._changed:
                return self._buffer.take_error(batch, error, time.monotonic())
        with self._changed:
            return self._buffer.take_answer(batch, answer, time.monotonic())


class AsyncEventQueue:
    """The same as a task of the running event loop; `put` needs no await."""

    def __init__(
        self,
        client: AsyncClient,
        *,
        max_batch: int = _MAX_BATCH,
        flush_seconds: float = _FLUSH_SECONDS,
        max_queued: int = _MAX_QUEUED,
        on_rejected: OnRejected = log_rejected,
    ) -> None:
        self._client = client
        self._on_rejected = on_rejected
        self._buffer = EventBuffer(max_batch, flush_seconds, max_queued)
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def put(self, event: Event) -> None:
        """Send an event soon.

        Raises:
            EventQueueFull: the API is away, or slower than events come.
            EventQueueClosed
        """
        self._buffer.put(event, time.monotonic())
        self._changed.set()

    async def aclose(self, timeout_seconds: float = _CLOSE_SECONDS) -> None:
        """Send what waits, and stop; the last request may take longer than the timeout.

        Raises:
            EventsNotSent: with the events that were left.
        """
        self._buffer.close(time.monotonic() + timeout_seconds)
        self._changed.set()
        await self._task
        if left := self._buffer.left():
            raise EventsNotSent(left)

    async def _run(self) -> None:
        while batch := await self._next_batch():
            _tell(self._on_rejected, await self._send(batch))

    async def _next_batch(self) -> list[Event]:
        """Wait for the next batch; none when it is over."""
        while not self._buffer.is_over(time.monotonic()):
            wait = self._buffer.seconds_until_due(time.monotonic())
            if wait == 0:
                return self._buffer.batch()
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait)
        return []

    async def _send(self, batch: list[Event]) -> Rejected:
        try:
            answer = await self._client.record_events(batch)
        except RecsysError as error:
            return self._buffer.take_error(batch, error, time.monotonic())
        return self._buffer.take_answer(batch, answer, time.monotonic())
