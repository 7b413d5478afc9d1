"""The JSON that says what became of a batch of events."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem
from recsys.core.limits import MAX_EVENTS, MAX_FIELD_CHARACTERS, MAX_PROBLEMS
from recsys.core.recording import EventOutcome, EventStatus
from services.gateway.schemas.field_rules import ID_RULES, REQUEST_ID_RULES
from services.gateway.schemas.problems import described

_REJECTED_EXAMPLE: JsonDict = {
    "index": 1,
    "status": "rejected",
    "event_id": "e-2",
    "problems": [{"field": "quantity", "reason": "should be a valid number"}],
}
ANSWER_EXAMPLE: JsonDict = {
    "accepted": 1,
    "duplicate": 0,
    "rejected": 1,
    "degraded": False,
    "results": [
        {"index": 0, "status": "accepted", "event_id": "e-1", "problems": []},
        _REJECTED_EXAMPLE,
    ],
    "request_id": "9f86d081884c7d659a2feaa0c55ad015",
}


_Count = Annotated[int, Field(ge=0, le=MAX_EVENTS)]


class Problem(BaseModel):
    field: str = Field(max_length=MAX_FIELD_CHARACTERS)
    reason: str


class EventResult(BaseModel):
    """Result of the event at this place of the batch."""

    index: int = Field(ge=0, lt=MAX_EVENTS)
    status: Literal["accepted", "duplicate", "rejected"]
    event_id: Annotated[str, Field(json_schema_extra=ID_RULES)] | None = Field(
        description="Null when it was rejected without a usable one."
    )
    problems: list[Problem] = Field(
        max_length=MAX_PROBLEMS, description="Reasons of the rejection; empty otherwise."
    )


class EventsAnswer(BaseModel):
    """Results of a batch."""

    model_config = ConfigDict(json_schema_extra={"examples": [ANSWER_EXAMPLE]})

    accepted: _Count
    duplicate: _Count
    rejected: _Count
    degraded: bool = Field(
        description="True when the events are durable, but count only once Redis is back."
    )
    results: list[EventResult] = Field(
        min_length=1, max_length=MAX_EVENTS, description="One for each event, in order."
    )
    request_id: str = Field(json_schema_extra=REQUEST_ID_RULES)


def respond(
    outcomes: Sequence[EventOutcome], *, degraded: bool, request_id: str
) -> dict[str, object]:
    """Members of an `EventsAnswer`: made of outcomes, they need no validation."""
    counts = Counter(outcome.status for outcome in outcomes)
    return {
        "accepted": counts[EventStatus.ACCEPTED],
        "duplicate": counts[EventStatus.DUPLICATE],
        "rejected": counts[EventStatus.REJECTED],
        "degraded": degraded,
        "results": [
            {
                "index": index,
                "status": outcome.status.value,
                "event_id": outcome.event_id or None,
                "problems": described(outcome.problems),
            }
            for index, outcome in enumerate(outcomes)
        ],
        "request_id": request_id,
    }


def unreadable(body: object, problems: Sequence[FieldProblem]) -> EventOutcome:
    """Reject an event that never got as far as the ingest service."""
    event_id = body.get("event_id") if isinstance(body, dict) else None
    if not isinstance(event_id, str) or identifier_problem(event_id):
        event_id = ""
    return EventOutcome(EventStatus.REJECTED, event_id, tuple(problems))
