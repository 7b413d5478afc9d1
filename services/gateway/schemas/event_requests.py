"""The JSON of events that come in, each read on its own."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic.config import JsonDict

from recsys.core.domain import CONTEXT_KEY_PATTERN
from recsys.core.errors import FieldProblem
from recsys.core.limits import (
    MAX_CONTEXT_ENTRIES,
    MAX_CONTEXT_VALUE_CHARACTERS,
    MAX_EVENTS,
    MAX_ID_CHARACTERS,
    MAX_NUMBER,
    MAX_QUERY_CHARACTERS,
)
from recsys.core.recording import EventDraft
from services.gateway.schemas.field_rules import (
    CONTEXT_VALUE_RULES,
    NEW_ID_RULES,
    QUERY_RULES,
    TimeMs,
)
from services.gateway.schemas.validation import field_problems, read_body, taken_one_by_one

EVENT_EXAMPLE: JsonDict = {
    "event_id": "order-536365-line-1",
    "user_id": "17850",
    "item_id": "85123A",
    "event_type": "purchase",
    "timestamp": "2011-12-09T12:50:00Z",
    "quantity": 6,
    "price": 2.55,
    "order_id": "536365",
    "context": {"placement": "basket", "variant": "b"},
}

_Id = Annotated[
    str, Field(min_length=1, max_length=MAX_ID_CHARACTERS, json_schema_extra=NEW_ID_RULES)
]
_Number = Annotated[float, Field(ge=0, le=MAX_NUMBER, allow_inf_nan=False)]
_Query = Annotated[
    str, Field(min_length=1, max_length=MAX_QUERY_CHARACTERS, json_schema_extra=QUERY_RULES)
]
_ContextKey = Annotated[str, Field(pattern=CONTEXT_KEY_PATTERN)]
_ContextValue = Annotated[
    str, Field(max_length=MAX_CONTEXT_VALUE_CHARACTERS, json_schema_extra=CONTEXT_VALUE_RULES)
]


class Event(BaseModel):
    """An action of a user on an item."""

    model_config = ConfigDict(
        strict=True, extra="forbid", json_schema_extra={"examples": [EVENT_EXAMPLE]}
    )

    user_id: _Id
    item_id: _Id
    event_type: _Id = Field(description="One of the types of the shop's settings, e.g. `view`.")
    event_id: _Id | None = Field(
        default=None,
        description="Identity of the event: another with the same id within 90 days is a duplicate "
        "and changes nothing. Generated when missing.",
    )
    timestamp: TimeMs | None = Field(
        default=None,
        description="RFC 3339 with a zone, or an integer of UTC milliseconds since 1970. When "
        "missing, the time of arrival. Not before March 1973: so small a number counts seconds.",
    )
    quantity: _Number | None = None
    price: _Number | None = Field(default=None, description="Price of one unit.")
    order_id: _Id | None = Field(default=None, description="Groups the lines of one basket.")
    context: dict[_ContextKey, _ContextValue] = Field(
        default={},
        max_length=MAX_CONTEXT_ENTRIES,
        description="Where the event came from, such as a recommendation's id, a placement or a "
        "variant: kept with the event, and counted nowhere.",
        json_schema_extra={"propertyNames": {"pattern": CONTEXT_KEY_PATTERN}},
    )
    rating: _Number | None = Field(
        default=None,
        description="Stars or points, on the scale that the shop's settings give the event's type: "
        "a `rating` has 0.5 to 5 unless they say otherwise. Events of types without a scale are "
        "rejected with one.",
    )
    query: _Query | None = Field(
        default=None,
        description="What the user had searched for, such as of a `search` that led to the item: "
        "kept with the event, and counted nowhere.",
    )


class EventBatch(BaseModel):
    """Body of `POST /v1/events`."""

    model_config = ConfigDict(extra="forbid")

    events: list[Event] = Field(
        min_length=1, max_length=MAX_EVENTS, json_schema_extra=taken_one_by_one("Event")
    )


class _Envelope(BaseModel):
    """The batch with its events unread: a bad one must not fail the others."""

    model_config = ConfigDict(strict=True, extra="forbid")

    events: list[Any] = Field(min_length=1, max_length=MAX_EVENTS)


def read_batch(body: object) -> list[object]:
    """The events of a batch, not yet read themselves.

    Raises:
        ProblemError: when the batch as a whole is wrong.
    """
    return read_body(_Envelope, body).events


def read_event(body: object) -> EventDraft | list[FieldProblem]:
    """One event, or why it cannot be read."""
    try:
        event = Event.model_validate(body)
    except ValidationError as error:
        return field_problems(error.errors(), whole="event")
    return EventDraft(
        user_id=event.user_id,
        item_id=event.item_id,
        event_type=event.event_type,
        event_id=event.event_id,
        timestamp_ms=event.timestamp,
        quantity=event.quantity,
        price=event.price,
        order_id=event.order_id,
        context=event.context,
        rating=event.rating,
        query=event.query,
    )
