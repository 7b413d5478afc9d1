"""Events: each is taken or rejected on its own."""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request, Response

from recsys.core.errors import FieldProblem
from recsys.core.recording import EventDraft, EventOutcome, Recorded
from services.gateway.dependencies import WriteContext, dependencies_of
from services.gateway.fast_path.post_requests import EVENTS_ROUTE
from services.gateway.http.json_body import JsonBody
from services.gateway.http.query import only_parameters
from services.gateway.recorded_events import render_outcomes
from services.gateway.routes.authentication import Caller, SessionUser, authenticated
from services.gateway.routes.openapi import body_responses, json_request, problem_responses
from services.gateway.schemas.event_requests import read_batch, read_event
from services.gateway.schemas.event_responses import EventsAnswer, unreadable
from services.gateway.upstream.ingest import CallContext, Ingest

router = APIRouter(
    tags=["events"],
    dependencies=[Depends(authenticated), Depends(only_parameters())],
    responses=problem_responses(),
)

_ReadEvent = EventDraft | list[FieldProblem]


@router.post(
    EVENTS_ROUTE,
    summary="Record events",
    response_model=EventsAnswer,
    responses=body_responses(),
    openapi_extra=json_request("EventBatch"),
)
async def post_events(
    key: Caller, acting: SessionUser, body: JsonBody, call: WriteContext, request: Request
) -> Response:
    """Record a batch of events. An accepted event is durable and changes the next recommendation.

    An invalid event never fails the others: the response has a result for each. Sending a batch
    again is safe when its events carry an `event_id`: each counts once in 90 days. The status is
    200 when any event was recorded, 422 with the same results when none was.
    """
    bodies = read_batch(body)
    events = [_of_session(read_event(body), acting) for body in bodies]
    stored = await _record(dependencies_of(request).ingest, key.tenant, events, call)
    outcomes = _merge(bodies, events, stored.outcomes)
    answer = render_outcomes(outcomes, degraded=stored.degraded, request_id=call.request_id)
    return Response(answer, media_type="application/json")


def _of_session(event: _ReadEvent, acting: str | None) -> _ReadEvent:
    """Reject an event of another user than the session's."""
    if acting is None or not isinstance(event, EventDraft) or event.user_id == acting:
        return event
    return [FieldProblem("user_id", "is not the user of the session token")]


async def _record(
    ingest: Ingest, tenant: str, events: Sequence[_ReadEvent], call: CallContext
) -> Recorded:
    drafts = [event for event in events if isinstance(event, EventDraft)]
    return await ingest.record(tenant, drafts, call) if drafts else Recorded([], degraded=False)


def _merge(
    bodies: Sequence[object], events: Sequence[_ReadEvent], stored: Sequence[EventOutcome]
) -> list[EventOutcome]:
    """Put the outcomes of the stored events back between the unreadable ones."""
    rest = iter(stored)
    return [
        next(rest) if isinstance(event, EventDraft) else unreadable(body, event)
        for body, event in zip(bodies, events, strict=True)
    ]
