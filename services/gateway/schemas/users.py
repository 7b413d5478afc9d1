"""The JSON of users."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.core.limits import MAX_ID_CHARACTERS
from services.gateway.schemas.text_rules import ID_RULES, REQUEST_ID_RULES
from services.gateway.schemas.validation import read_body

MERGE_EXAMPLE: JsonDict = {"source_user_id": "visitor-8f14e45f", "target_user_id": "17850"}

_Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARACTERS, json_schema_extra=ID_RULES)]


class UserMerge(BaseModel):
    """Two users that are one."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [MERGE_EXAMPLE]}
    )

    source_user_id: _Id = Field(
        description="Whose events move, such as an anonymous visitor; none do where both are one."
    )
    target_user_id: _Id = Field(description="Who has them afterwards, such as a customer.")


class MergedUsers(BaseModel):
    """Result of a merge."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"moved_events": 12, "degraded": False, "request_id": "9f86d081884c7d65"}]
        }
    )

    moved_events: int = Field(
        ge=0, le=2**32 - 1, description="0 when there were none, or they had been moved before."
    )
    degraded: bool = Field(
        description="True when the events are moved, but count only once Redis is back."
    )
    request_id: str = Field(json_schema_extra=REQUEST_ID_RULES)


class ErasedUser(BaseModel):
    """Result of an erasure."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"removed_events": 12, "degraded": False, "request_id": "9f86d081884c7d65"}
            ]
        }
    )

    removed_events: int = Field(
        ge=0, le=2**32 - 1, description="0 when there were none, or they had been removed before."
    )
    degraded: bool = Field(
        description="True when the events are gone, but answers know the user until the request "
        "is sent again with Redis back, or the next model serves."
    )
    request_id: str = Field(json_schema_extra=REQUEST_ID_RULES)


def read_merge(body: object) -> UserMerge:
    """Read which users are to be merged.

    Raises:
        ProblemError: naming every field at fault.
    """
    return read_body(UserMerge, body)
