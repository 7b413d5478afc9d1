"""Events that wait to be sent, and when they are: the part of an event queue without IO."""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from recsys_client.calls import with_id
from recsys_client.errors import EventQueueClosed, EventQueueFull, RecsysError
from recsys_client.models import Event, EventsAnswer
from recsys_client.retries import may_pass, retry_after

# After a failure that may pass; doubled by each further one.
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 30.0

Rejected = Sequence[tuple[Event, str]]


@dataclass(slots=True)
class EventBuffer:
    """Events in their order, kept until the API has answered for them.

    Attributes:
        max_batch: events of one request; as many waiting are sent at once.
        flush_seconds: how long an event waits for others.
        max_queued: bounds memory while the API is away.
    """

    max_batch: int
    flush_seconds: float
    max_queued: int
    _events: deque[Event] = field(default_factory=deque)
    # When those that wait are due, and, after a failure, when to try again.
    _due_at: float = 0.0
    _retry_at: float = 0.0
    _failures: int = 0
    # Until closed: never.
    _ends_at: float = math.inf

    def put(self, event: Event, now: float) -> None:
        """Keep an event.

        Raises:
            EventQueueFull, EventQueueClosed
        """
        if self._is_closed():
            raise EventQueueClosed("events are taken by an open queue only")
        if len(self._events) >= self.max_queued:
            raise EventQueueFull(f"{self.max_queued} events wait already")
        if not self._events:
            self._due_at = now + self.flush_seconds
        # By its id it counts once, however often it has to be sent.
        self._events.append(with_id(event))

    def close(self, ends_at: float) -> None:
        """Take no more events, and let those that wait be sent until then."""
        self._ends_at = ends_at

    def is_over(self, now: float) -> bool:
        """Whether nothing more is to be sent: closed, and empty or out of time."""
        wait = self.seconds_until_due(now)
        return self._is_closed() and (wait is None or now + wait >= self._ends_at)

    def seconds_until_due(self, now: float) -> float | None:
        """How long until a batch is to be sent; None while nothing waits."""
        if not self._events:
            return None
        is_due = self._is_closed() or len(self._events) >= self.max_batch
        return max(self._retry_at - now, 0.0 if is_due else self._due_at - now, 0.0)

    def batch(self) -> list[Event]:
        """The oldest events, at most a batch."""
        return list(islice(self._events, self.max_batch))

    def left(self) -> list[Event]:
        return list(self._events)

    def take_answer(self, batch: Sequence[Event], answer: EventsAnswer, now: float) -> Rejected:
        """Forget a batch that the API has answered for; those that it did not take, and why."""
        self._forget(batch, now)
        return [
            (batch[each.index], "; ".join(f"{one.field} {one.reason}" for one in each.problems))
            for each in answer.results
            if each.status == "rejected"
        ]

    def take_error(self, batch: Sequence[Event], error: RecsysError, now: float) -> Rejected:
        """Keep a batch for later where the failure may pass, else give it up."""
        if may_pass(error):
            wait = min(_FIRST_WAIT_SECONDS * 2**self._failures, _LONGEST_WAIT_SECONDS)
            self._failures += 1
            self._retry_at = now + max(wait, retry_after(error))
            return []
        self._forget(batch, now)
        return [(event, str(error)) for event in batch]

    def _is_closed(self) -> bool:
        return self._ends_at < math.inf

    def _forget(self, batch: Sequence[Event], now: float) -> None:
        self._failures, self._retry_at = 0, 0.0
        self._due_at = now + self.flush_seconds
        for _ in batch:
            self._events.popleft()
