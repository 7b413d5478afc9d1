"""The JSON of users."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from recsys.core.limits import MAX_ATTRIBUTES, MAX_ID_CHARACTERS
from recsys.rpc.convert import to_user
from recsys.rpc.v1 import ingest_pb2
from services.gateway.schemas.field_rules import ID_RULES, NEW_ID_RULES, REQUEST_ID_RULES
from services.gateway.schemas.items import AttributeName, AttributeValue
from services.gateway.schemas.validation import read_body

ATTRIBUTES_EXAMPLE: JsonDict = {"attributes": {"tier": "gold", "orders": 12, "newsletter": True}}
CHANGES_EXAMPLE: JsonDict = {"attributes": {"tier": "silver", "newsletter": None}}
MERGE_EXAMPLE: JsonDict = {"source_user_id": "visitor-8f14e45f", "target_user_id": "17850"}

_Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARACTERS, json_schema_extra=ID_RULES)]


class UserFields(BaseModel):
    """What the shop says of a user, without the id, which stands in the path."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [ATTRIBUTES_EXAMPLE]}
    )

    attributes: dict[AttributeName, AttributeValue] = Field(
        max_length=MAX_ATTRIBUTES, json_schema_extra={"propertyNames": ID_RULES}
    )


class UserChanges(BaseModel):
    """The attributes of a user that change."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [CHANGES_EXAMPLE]}
    )

    attributes: dict[AttributeName, AttributeValue | None] = Field(
        min_length=1,
        max_length=MAX_ATTRIBUTES,
        description="Null removes one. Those that are not named stay.",
        json_schema_extra={"propertyNames": ID_RULES},
    )


class User(BaseModel):
    """A user as the shop describes it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user_id": "17850", **ATTRIBUTES_EXAMPLE}]}
    )

    user_id: _Id
    attributes: dict[AttributeName, AttributeValue] = Field(
        max_length=MAX_ATTRIBUTES, json_schema_extra={"propertyNames": ID_RULES}
    )

    @classmethod
    def of(cls, message: ingest_pb2.User) -> "User":
        user = to_user(message)
        return cls(user_id=user.user_id, attributes=dict(user.attributes))


class UserMerge(BaseModel):
    """Two users that are one."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [MERGE_EXAMPLE]}
    )

    source_user_id: _Id = Field(
        description="Whose events move, such as an anonymous visitor; none do where both are one."
    )
    target_user_id: _Id = Field(
        description="Who has them afterwards, such as a customer.", json_schema_extra=NEW_ID_RULES
    )


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


def read_fields(body: object) -> UserFields:
    """Read what the shop says of a user.

    Raises:
        ProblemError: naming every field at fault.
    """
    return read_body(UserFields, body)


def read_changes(body: object) -> UserChanges:
    """Read which attributes of a user change.

    Raises:
        ProblemError: naming every field at fault.
    """
    return read_body(UserChanges, body)
