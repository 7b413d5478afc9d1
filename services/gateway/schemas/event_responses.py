"""The JSON that says what became of a batch of events."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem
from recsys.rpc.v1 import ingest_pb2
from services.gateway.schemas.event_requests import MAX_EVENTS
from services.gateway.schemas.problems import MAX_FIELD_CHARACTERS, MAX_PROBLEMS, described
from services.gateway.schemas.text_rules import ID_RULES, REQUEST_ID_RULES

_STATUSES: dict[int, Literal["accepted", "duplicate", "rejected"]] = {
    ingest_pb2.EVENT_STATUS_ACCEPTED: "accepted",
    ingest_pb2.EVENT_STATUS_DUPLICATE: "duplicate",
    ingest_pb2.EVENT_STATUS_REJECTED: "rejected",
}

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


def respond(results: Sequence[EventResult], *, degraded: bool, request_id: str) -> EventsAnswer:
    counts = Counter(result.status for result in results)
    return EventsAnswer(
        accepted=counts["accepted"],
        duplicate=counts["duplicate"],
        rejected=counts["rejected"],
        degraded=degraded,
        results=list(results),
        request_id=request_id,
    )


def recorded(index: int, result: ingest_pb2.EventResult) -> EventResult:
    """Turn the ingest service's result for an event into ours."""
    problems = (FieldProblem(problem.field, problem.reason) for problem in result.problems)
    return EventResult(
        index=index,
        status=_STATUSES[result.status],
        event_id=result.event_id or None,
        problems=_listed(problems),
    )


def unreadable(index: int, body: object, problems: Sequence[FieldProblem]) -> EventResult:
    """An event that never got as far as the ingest service."""
    event_id = body.get("event_id") if isinstance(body, dict) else None
    usable = isinstance(event_id, str) and identifier_problem(event_id) is None
    return EventResult(
        index=index,
        status="rejected",
        event_id=event_id if usable else None,
        problems=_listed(problems),
    )


def _listed(problems: Iterable[FieldProblem]) -> list[Problem]:
    return [Problem.model_validate(problem) for problem in described(problems)]
