"""An event on its way in, and what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from recsys.core.domain import Event
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.times import milliseconds_problem


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event as it was sent: unchecked, and its id and time may be left to us."""

    user_id: str
    item_id: str
    event_type: str
    event_id: str | None = None
    timestamp_ms: int | None = None
    quantity: float | None = None
    price: float | None = None
    order_id: str | None = None
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    rating: float | None = None
    query: str | None = None

    def complete(self, new_event_id: Callable[[], str], now_ms: int) -> Event:
        """The event, with what was left out filled in.

        Raises:
            InvalidInput: naming every field that breaks a rule.
        """
        if self.timestamp_ms is not None and (reason := milliseconds_problem(self.timestamp_ms)):
            raise InvalidInput([FieldProblem("timestamp", reason)])
        return Event(
            event_id=new_event_id() if self.event_id is None else self.event_id,
            user_id=self.user_id,
            item_id=self.item_id,
            event_type=self.event_type,
            timestamp_ms=now_ms if self.timestamp_ms is None else self.timestamp_ms,
            quantity=self.quantity,
            price=self.price,
            order_id=self.order_id,
            context=self.context,
            rating=self.rating,
            query=self.query,
        )


class EventStatus(Enum):
    """Status of a recorded event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """Outcome of one event: its status, and the problems where it was rejected."""

    status: EventStatus
    event_id: str
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One outcome for each event, in order.

    `degraded`: the events are durable but count only after the next training.
    """

    outcomes: list[EventOutcome]
    degraded: bool
