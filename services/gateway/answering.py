"""Asking for an answer and counting what came of it: the same for hot routes and all others."""

from services.gateway.answer_json import whole_json
from services.gateway.cold_start import cold_start_answer
from services.gateway.dependencies import Dependencies
from services.gateway.pending_request import Target
from services.gateway.problems import NO_MODEL, OVERLOADED, ProblemError
from services.gateway.recommendation_answers import SOURCES


async def fetch_recommendations(
    parts: Dependencies, tenant: str, about: Target, limit: int, request_id: str
) -> bytes:
    """The body of a response.

    Raises:
        ProblemError: see `Recommenders.ask` and `cold_start_answer`.
    """
    try:
        answer = await parts.recommender.ask(tenant, about, limit)
    except ProblemError as problem:
        if problem.kind is OVERLOADED:
            parts.metrics.shed["overloaded"].inc()
        if problem.kind is not NO_MODEL:
            raise
        answer = await cold_start_answer(parts, tenant, about, limit, problem, request_id)
    parts.metrics.answers[SOURCES[answer.source], answer.degraded].inc()
    return whole_json(answer, request_id, about)
