"""The JSON of items."""

from dataclasses import asdict
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic.config import JsonDict

from recsys.core.domain import Attribute, label_problem
from recsys.core.errors import FieldProblem
from recsys.core.limits import (
    MAX_ATTRIBUTES,
    MAX_CATEGORIES,
    MAX_ID_CHARACTERS,
    MAX_NUMBER,
    MAX_TAGS,
    MAX_TEXT_CHARACTERS,
)
from recsys.rpc.convert import from_item_fields, to_item
from recsys.rpc.v1 import ingest_pb2
from services.gateway.schemas.field_rules import ID_RULES, TEXT_RULES, TimeMs
from services.gateway.schemas.problems import invalid_input
from services.gateway.schemas.validation import field_problems

ITEM_EXAMPLE: JsonDict = {
    "title": "WHITE HANGING HEART T-LIGHT HOLDER",
    "categories": ["Home", "Candles"],
    "brand": "Hearts & Co",
    "price": 2.55,
    "available": True,
    "attributes": {"colour": "white", "height_cm": 11.5, "gift": True},
    "quantity": 40,
    "tags": ["summer", "gift"],
    "list_price": 3.45,
    "publish_time": "2026-05-01T00:00:00Z",
    "expire_time": "2027-01-01T00:00:00Z",
}


def _attribute(value: object) -> Attribute:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _finite(value)
    if not isinstance(value, str):
        raise ValueError("must be text, a number, true or false")  # noqa: TRY004  # pydantic's way
    if reason := label_problem(value):
        raise ValueError(reason)
    return value


def _finite(value: float) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("is too large a number") from error


_Text = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS, json_schema_extra=TEXT_RULES)]
AttributeName = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARACTERS)]
_Id = Annotated[AttributeName, Field(json_schema_extra=ID_RULES)]
AttributeValue = Annotated[
    str | float | bool,
    BeforeValidator(_attribute),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", **TEXT_RULES},
                {"type": "number"},
                {"type": "boolean"},
            ]
        }
    ),
]


_Number = Annotated[float, Field(ge=0, le=MAX_NUMBER, allow_inf_nan=False)]

_ID_IN_BODY = FieldProblem("item_id", "stands in the path alone: leave it out of the body")


class ItemFields(BaseModel):
    """An item without its id, which stands in the path.

    PUT takes the default for a field that is missing, PATCH leaves it as it is.
    """

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        serialize_by_alias=True,
        json_schema_extra={"examples": [ITEM_EXAMPLE]},
    )

    title: _Text | None = None
    categories: list[_Id] = Field(
        default=[], max_length=MAX_CATEGORIES, description="From broad to narrow."
    )
    brand: _Text | None = None
    price: _Number | None = None
    available: bool = Field(
        default=True, description="False hides the item from all recommendations at once."
    )
    attributes: dict[AttributeName, AttributeValue] = Field(
        default={},
        max_length=MAX_ATTRIBUTES,
        description="Replaced as a whole.",
        json_schema_extra={"propertyNames": ID_RULES},
    )
    quantity: _Number | None = Field(
        default=None, description="Pieces in stock: with 0 the item is not shown."
    )
    tags: list[_Id] = Field(
        default=[], max_length=MAX_TAGS, description="Labels without an order, for filters."
    )
    list_price: _Number | None = Field(default=None, description="The price before a reduction.")
    publish_ms: TimeMs | None = Field(
        default=None,
        alias="publish_time",
        description="Before it the item is not shown. RFC 3339 with a zone, or UTC milliseconds "
        "since 1970, which it is read as.",
    )
    expire_ms: TimeMs | None = Field(
        default=None,
        alias="expire_time",
        description="From it on the item is not shown. After `publish_time`.",
    )
    created_ms: TimeMs | None = Field(
        default=None,
        alias="create_time",
        description="When the shop got the item, by which it is `new` or not. Left out it stays as "
        "it was, by PUT too; an item that was not there gets the time at which it comes.",
    )


class ItemChanges(ItemFields):
    """The fields of an item that change: at least one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"price": 1.95}], "minProperties": 1})


class Item(ItemFields):
    """An item as the catalogue has it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"item_id": "85123A", **ITEM_EXAMPLE}]}
    )

    item_id: _Id


_ALIASES = {name: field.alias for name, field in ItemFields.model_fields.items() if field.alias}


def read_fields(body: object) -> ItemFields:
    """The fields of an item, whose id stands in the path.

    Raises:
        ProblemError: naming every field at fault.
    """
    try:
        return ItemFields.model_validate(body)
    except ValidationError as error:
        problems = field_problems(error.errors())
        raise invalid_input(_ID_IN_BODY if p.field == "item_id" else p for p in problems) from None


def changed(fields: ItemFields) -> list[str]:
    """Names of the fields that were sent.

    Raises:
        ProblemError: when there are none.
    """
    names = sorted(fields.model_fields_set)
    if not names:
        raise invalid_input([FieldProblem("body", "names no field to change")])
    return names


def to_message(item_id: str, fields: ItemFields) -> ingest_pb2.Item:
    return from_item_fields(item_id, fields.model_dump(by_alias=False))


def from_message(message: ingest_pb2.Item) -> Item:
    fields = asdict(to_item(message))
    for name, alias in _ALIASES.items():
        fields[alias] = fields.pop(name)
    lists = {name: list(fields[name]) for name in ("categories", "tags")}
    return Item.model_validate({**fields, **lists})
