"""The JSON of many items at once, each read on its own."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.config import JsonDict

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem
from recsys.core.limits import MAX_ID_CHARACTERS, MAX_ITEMS, MAX_PROBLEMS
from recsys.rpc.v1 import ingest_pb2
from services.gateway.schemas.event_responses import Problem
from services.gateway.schemas.field_rules import ID_RULES, NEW_ID_RULES, REQUEST_ID_RULES
from services.gateway.schemas.items import ITEM_EXAMPLE, Item, to_message
from services.gateway.schemas.problems import described
from services.gateway.schemas.validation import field_problems, read_body, taken_one_by_one

ITEM_BATCH_EXAMPLE: JsonDict = {"items": [{"item_id": "85123A", **ITEM_EXAMPLE}]}


class WholeItem(Item):
    """An item of a batch: stored whole, with the default for a field that is missing."""

    item_id: str = Field(min_length=1, max_length=MAX_ID_CHARACTERS, json_schema_extra=NEW_ID_RULES)


class ItemBatch(BaseModel):
    """Body of `POST /v1/items:batchUpsert`."""

    model_config = ConfigDict(extra="forbid")

    items: list[WholeItem] = Field(
        min_length=1, max_length=MAX_ITEMS, json_schema_extra=taken_one_by_one("WholeItem")
    )


class _Envelope(BaseModel):
    """The batch with its items unread: a bad one must not fail the others."""

    model_config = ConfigDict(strict=True, extra="forbid")

    items: list[Any] = Field(min_length=1, max_length=MAX_ITEMS)


class RejectedItem(BaseModel):
    """An item of the batch that was not stored."""

    index: int = Field(ge=0, lt=MAX_ITEMS, description="Its place in the batch.")
    item_id: Annotated[str, Field(json_schema_extra=ID_RULES)] | None = Field(
        description="Null when it has no usable one."
    )
    problems: list[Problem] = Field(min_length=1, max_length=MAX_PROBLEMS)


class ItemBatchAnswer(BaseModel):
    """Results of a batch."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "stored": 1,
                    "rejected": [
                        {
                            "index": 1,
                            "item_id": "22423",
                            "problems": [{"field": "price", "reason": "should be a valid number"}],
                        }
                    ],
                    "request_id": "9f86d081884c7d65",
                }
            ]
        }
    )

    stored: int = Field(ge=0, le=MAX_ITEMS)
    rejected: list[RejectedItem] = Field(max_length=MAX_ITEMS)
    request_id: str = Field(json_schema_extra=REQUEST_ID_RULES)


ReadItem = ingest_pb2.Item | list[FieldProblem]


def read_item_batch(body: object) -> list[object]:
    """The items of a batch, not yet read themselves.

    Raises:
        ProblemError: when the batch as a whole is wrong.
    """
    return read_body(_Envelope, body).items


def read_item(body: object) -> ReadItem:
    """One item as it is sent on, or why it cannot be read."""
    try:
        item = WholeItem.model_validate(body)
    except ValidationError as error:
        return field_problems(error.errors(), whole="item")
    return to_message(item.item_id, item)


def rejected(
    bodies: Sequence[object], problems: Iterable[Sequence[FieldProblem]]
) -> list[RejectedItem]:
    """Those items of a batch that have problems."""
    return [
        RejectedItem(
            index=index,
            item_id=_id_of(body),
            problems=[Problem.model_validate(each) for each in described(found)],
        )
        for index, (body, found) in enumerate(zip(bodies, problems, strict=True))
        if found
    ]


def _id_of(body: object) -> str | None:
    item_id = body.get("item_id") if isinstance(body, dict) else None
    return item_id if isinstance(item_id, str) and not identifier_problem(item_id) else None
