"""The JSON of a page: several placements in one request."""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem
from recsys.core.limits import MAX_PAGE_PLACEMENTS
from services.gateway.schemas.field_rules import ID_RULES, REQUEST_ID_RULES
from services.gateway.schemas.problems import invalid_input
from services.gateway.schemas.recommendations import (
    PLACED_EXAMPLE,
    PlacementRecommendations,
    PlacementRequest,
    TargetFields,
)
from services.gateway.schemas.validation import read_body

PAGE_EXAMPLE: JsonDict = {
    "user_id": "17850",
    "requests": [
        {"placement": "home", "limit": 10},
        {"placement": "product_page", "item_id": "85123A", "limit": 5},
        {"placement": "bestsellers", "category": ["Candles"], "limit": 5},
    ],
}


class PagePlacement(PlacementRequest):
    """A placement of a page; without a target of its own it has that of the page."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"placement": "home", "limit": 10}]})

    placement: Annotated[
        str, Field(max_length=64, description="One of the shop's settings.", examples=["home"])
    ]


class PageRequest(TargetFields):
    """Placements in the order of the page, the most important first."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [PAGE_EXAMPLE]}
    )

    user_id: str | None = Field(
        default=None,
        json_schema_extra=ID_RULES,
        description="Whom the page is for. It is the `visitor_id` of requests about an item or a "
        "session that name none.",
    )
    requests: list[PagePlacement] = Field(min_length=1, max_length=MAX_PAGE_PLACEMENTS)
    distinct: bool = Field(
        default=True, description="Whether an item that a placement shows is in no later one."
    )

    def target_problems(self) -> Iterator[FieldProblem]:
        yield from super().target_problems()
        if self.user_id is not None and (reason := identifier_problem(self.user_id)):
            yield FieldProblem("user_id", reason)

    def user_ids(self) -> Iterator[str]:
        """Everybody whom the page or one of its placements is for."""
        if self.user_id is not None:
            yield self.user_id
        for each in self.requests:
            yield from each.user_ids()


class PageRecommendations(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "responses": [PLACED_EXAMPLE],
                    "request_id": "9f86d081884c7d659a2feaa0c55ad015",
                }
            ]
        }
    )

    responses: list[PlacementRecommendations] = Field(
        max_length=MAX_PAGE_PLACEMENTS, description="One for each request, in order."
    )
    request_id: str = Field(json_schema_extra=REQUEST_ID_RULES)


def read_page(body: object) -> PageRequest:
    """Read a page; each of its placements gets the target of the page where it has none.

    Raises:
        ProblemError: naming every field at fault.
    """
    page = read_body(PageRequest, body)
    problems = list(page.target_problems())
    for place, wanted in enumerate(page.requests):
        problems += prefixed(place, list(wanted.target_problems()))
    if problems:
        raise invalid_input(problems)
    return page


def prefixed(place: int, problems: Sequence[FieldProblem]) -> list[FieldProblem]:
    """The problems of the request at that place of a page."""
    return [FieldProblem(f"requests.{place}.{each.field}", each.reason) for each in problems]
