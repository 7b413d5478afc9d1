"""The JSON of items that are put in a user's order."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.core.errors import FieldProblem
from recsys.core.limits import MAX_RERANKED_ITEMS, MAX_SESSION_ITEMS
from recsys.core.serving.request import SessionTarget, UserTarget
from services.gateway.schemas.field_rules import ID_RULES, REQUEST_ID_RULES
from services.gateway.schemas.problems import invalid_input
from services.gateway.schemas.validation import read_body

RERANK_EXAMPLE: JsonDict = {"user_id": "17850", "item_ids": ["85123A", "22423", "made-up"]}

_Id = Annotated[str, Field(json_schema_extra=ID_RULES)]


class RerankRequest(BaseModel):
    """Items to be put in the order of a user or of a session: one of the two."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [RERANK_EXAMPLE]}
    )

    user_id: _Id | None = None
    session_item_ids: list[_Id] = Field(
        default=[],
        max_length=MAX_SESSION_ITEMS,
        description="Of a visitor without an id: the items viewed, in their order.",
    )
    item_ids: list[_Id] = Field(
        min_length=1,
        max_length=MAX_RERANKED_ITEMS,
        description="In any order, as a search has found them; one that repeats counts once.",
    )

    def target(self) -> UserTarget | SessionTarget:
        if self.user_id is not None:
            return UserTarget(self.user_id)
        return SessionTarget(tuple(self.session_item_ids))


class RerankedItems(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "item_ids": ["22423", "85123A", "made-up"],
                    "unknown": ["made-up"],
                    "model_version": "20111210T020000Z",
                    "degraded": False,
                    "request_id": "9f86d081884c7d659a2feaa0c55ad015",
                    "user_id": "17850",
                }
            ]
        }
    )

    item_ids: list[_Id] = Field(
        max_length=MAX_RERANKED_ITEMS,
        description="All of them, each once, best first: by the user's scores, or by popularity "
        "for an unknown user. Those of which nothing is known come last, as they came.",
    )
    unknown: list[_Id] = Field(
        max_length=MAX_RERANKED_ITEMS, description="Those that the model does not know."
    )
    model_version: str | None = Field(description="Null before the shop's first model.")
    degraded: bool = Field(
        description="True when a service failed, or the shop has no model yet: the items may be as "
        "they came."
    )
    request_id: str = Field(json_schema_extra=REQUEST_ID_RULES)
    user_id: _Id | None = Field(default=None, description="Only when it was asked for.")


def read_rerank(body: object) -> RerankRequest:
    """Read what to put in order.

    Raises:
        ProblemError: naming every field at fault.
    """
    wanted = read_body(RerankRequest, body)
    if wanted.user_id is not None and wanted.session_item_ids:
        raise invalid_input([FieldProblem("session_item_ids", "cannot stand beside user_id")])
    if wanted.user_id is None and not wanted.session_item_ids:
        raise invalid_input([FieldProblem("user_id", "name a user, or session_item_ids")])
    return wanted
