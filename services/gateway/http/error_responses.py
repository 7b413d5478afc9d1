"""Turns every error of a route into a problem."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.gateway.http.request_context import route_template
from services.gateway.schemas.problems import (
    INTERNAL,
    NOT_FOUND,
    WRONG_METHOD,
    ProblemError,
    invalid_input,
    problem_response,
)
from services.gateway.schemas.validation import parameter_problems

_OF_THE_ROUTER = {404: NOT_FOUND, 405: WRONG_METHOD}


def add_error_responses(app: FastAPI) -> None:
    # The keys say which error each takes; Starlette's signature wants the base class.
    answers: dict[Any, Any] = {
        ProblemError: _answer_problem,
        RequestValidationError: _answer_invalid_parameter,
        HTTPException: _answer_unrouted,
    }
    for error, answer in answers.items():
        app.add_exception_handler(error, answer)


async def _answer_problem(request: Request, error: ProblemError) -> Response:
    return problem_response(error, request.scope["path"], request.state.request_id)


async def _answer_invalid_parameter(request: Request, error: RequestValidationError) -> Response:
    return await _answer_problem(request, invalid_input(parameter_problems(error.errors())))


async def _answer_unrouted(request: Request, error: HTTPException) -> Response:
    """Respond to what the router itself refuses."""
    kind = _OF_THE_ROUTER.get(error.status_code, INTERNAL)
    headers = {"Allow": _allowed(request)} if kind is WRONG_METHOD else {}
    detail = f"there is no {request.method} {request.scope['path'][:200]}; see /docs"
    return await _answer_problem(request, ProblemError(kind, detail, headers=headers))


def _allowed(request: Request) -> str:
    """All methods of this path; the router itself names those of one route only."""
    described = request.app.openapi()["paths"].get(route_template(request.scope), {"get": None})
    methods = {method.upper() for method in described}
    # Every route that answers GET answers HEAD, see `RequestContext`.
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))
