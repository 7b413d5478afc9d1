"""Record events and render what became of them, for every route alike."""

from collections.abc import Sequence

import msgspec

from recsys.core.recording import EventDraft, EventOutcome
from recsys.runtime.deadline import Deadline
from services.gateway.dependencies import Dependencies
from services.gateway.schemas.event_responses import respond
from services.gateway.schemas.problems import INVALID_INPUT, ProblemError
from services.gateway.upstream.ingest import CallContext


async def record_events(
    dependencies: Dependencies, tenant: str, drafts: Sequence[EventDraft], request_id: str
) -> bytes:
    """Record a batch of events that could all be read.

    Raises:
        ProblemError: none was taken, or ingest failed.
    """
    call = CallContext(Deadline.after(dependencies.write_seconds), request_id)
    recorded = await dependencies.ingest.record(tenant, drafts, call)
    return render_outcomes(recorded.outcomes, degraded=recorded.degraded, request_id=request_id)


def render_outcomes(outcomes: Sequence[EventOutcome], *, degraded: bool, request_id: str) -> bytes:
    """Render the JSON of `EventsAnswer`.

    Raises:
        ProblemError: none of the events was taken; the problem has the same members.
    """
    answer = respond(outcomes, degraded=degraded, request_id=request_id)
    if answer["rejected"] == len(outcomes):
        raise ProblemError(INVALID_INPUT, "no event was taken", members=answer)
    return msgspec.json.encode(answer)
