"""Query parameters: the known ones, once each."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Query, Request

from recsys.core.errors import FieldProblem
from services.gateway.problems import invalid_input

MAX_LIMIT = 100

Limit = Annotated[
    int, Query(ge=1, le=MAX_LIMIT, description="How many items at most.", examples=[20])
]


def only_parameters(*known: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that refuses unknown and repeated parameters: a typing error must not pass."""

    async def check(request: Request) -> None:
        names = [name for name, _ in request.query_params.multi_items()]
        problems = [FieldProblem(name, _unknown(known)) for name in names if name not in known]
        repeated = [name for name in known if names.count(name) > 1]
        problems += [FieldProblem(name, "must not be given twice") for name in repeated]
        if problems:
            raise invalid_input(problems)

    return check


def _unknown(known: tuple[str, ...]) -> str:
    listed = f"known are: {', '.join(known)}" if known else "there are none here"
    return f"is not a known parameter; {listed}"
