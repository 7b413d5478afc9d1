"""Which events a shop knows and what each is worth."""

from collections.abc import Mapping
from dataclasses import dataclass

from recsys.core.domain import Event
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.times import future_problem


@dataclass(frozen=True, slots=True)
class EventType:
    """How one type of event counts.

    Attributes:
        weight: strength one event adds to its user-item pair; negative takes away.
        excludes: the item is not recommended to this user again, not even where the list gets
            shorter by it.
    """

    weight: float
    excludes: bool = False


EventTypes = Mapping[str, EventType]


def has_effect(event_type: str, event_types: EventTypes) -> bool:
    """Whether an event of this type can change an answer: it counts, or excludes."""
    kind = event_types.get(event_type)
    return kind is not None and (kind.weight != 0 or kind.excludes)


def check_event(event: Event, event_types: EventTypes, now_ms: int) -> None:
    """Check what depends on the shop and the clock.

    Raises:
        InvalidInput: for an unknown type (the reason lists the known ones) or a time in the future.
    """
    problems = []
    if event.event_type not in event_types:
        known = ", ".join(sorted(event_types))
        problems.append(FieldProblem("event_type", f"is not one of: {known}"))
    if reason := future_problem(event.timestamp_ms, now_ms):
        problems.append(FieldProblem("timestamp", reason))
    if problems:
        raise InvalidInput(problems)
