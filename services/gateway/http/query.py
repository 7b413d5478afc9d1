"""Query parameters: the known ones, once each, in percent-encoded UTF-8."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Annotated, Literal
from urllib.parse import unquote_plus

from fastapi import Query, Request
from pydantic import AfterValidator, Field

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem
from recsys.core.limits import (
    MAX_EXCLUDED_ITEMS_IN_URL,
    MAX_FILTER_CHARACTERS_IN_URL,
    MAX_LIMIT,
    MAX_SESSION_ITEMS,
)
from services.gateway.http.raw_path import percent_decoded
from services.gateway.schemas.field_rules import FILTER_RULES, ID_RULES
from services.gateway.schemas.problems import invalid_input

Limit = Annotated[
    int,
    Query(
        ge=1,
        le=MAX_LIMIT,
        description="Maximum number of items.",
        examples=[20],
    ),
]


def _identifier(value: str) -> str:
    if reason := identifier_problem(value):
        raise ValueError(reason)
    return value


SessionItems = Annotated[
    list[Annotated[str, AfterValidator(_identifier), Field(json_schema_extra=ID_RULES)]],
    Query(
        alias="item_id",
        min_length=1,
        max_length=MAX_SESSION_ITEMS,
        description="An item viewed in this session, percent-encoded; repeat the parameter for "
        "several, in the order in which they were viewed.",
        examples=[["85123A", "22423"]],
    ),
]


FilterText = Annotated[
    str | None,
    Query(
        alias="filter",
        min_length=1,
        max_length=MAX_FILTER_CHARACTERS_IN_URL,
        description=FILTER_RULES,
        examples=['category = "Candles" AND price <= 20'],
    ),
]

ExcludedItems = Annotated[
    list[Annotated[str, AfterValidator(_identifier), Field(json_schema_extra=ID_RULES)]],
    Query(
        alias="exclude_item_id",
        max_length=MAX_EXCLUDED_ITEMS_IN_URL,
        description="An item that is not to be recommended, percent-encoded; repeat the parameter "
        "for several.",
        examples=[["22423"]],
    ),
]


# Words, since a `bool` of FastAPI takes `on`, `2` and others for one of them, too.
Explain = Annotated[
    Literal["true", "false"],
    Query(
        description="Whether each item comes with its `reason` and `score_parts`, and the answer "
        "with a `recommendation_id`.",
    ),
]


def only_parameters(
    *known: str, repeatable: tuple[str, ...] = ()
) -> Callable[[Request], Awaitable[None]]:
    """A dependency that refuses unknown and repeated parameters: a typing error must not pass.

    It also refuses what is not percent-encoded UTF-8, of which FastAPI would read something else.
    """
    all_known = (*known, *repeatable)

    async def check(request: Request) -> None:
        if undecodable := list(_undecodable(request.scope["query_string"])):
            raise invalid_input(undecodable)
        names = [name for name, _ in request.query_params.multi_items()]
        problems = [
            FieldProblem(name, _unknown(all_known)) for name in names if name not in all_known
        ]
        repeated = [name for name in known if names.count(name) > 1]
        problems += [FieldProblem(name, "must not be given twice") for name in repeated]
        if problems:
            raise invalid_input(problems)

    return check


def _undecodable(query: bytes) -> Iterator[FieldProblem]:
    for pair in query.split(b"&"):
        name = unquote_plus(pair.partition(b"=")[0].decode("latin-1"))
        if not pair.isascii():
            yield FieldProblem(name, "is not percent-encoded UTF-8")
            continue
        try:
            percent_decoded(pair)
        except ValueError as error:
            yield FieldProblem(name, str(error))


def _unknown(known: tuple[str, ...]) -> str:
    listed = f"known are: {', '.join(known)}" if known else "there are none here"
    return f"is not a known parameter; {listed}"
