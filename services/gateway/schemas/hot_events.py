"""Events as most come, read in one step: what is not plainly good is left to `event_requests`.

Reading by pydantic, which names every fault, takes several times what storing an event does. The
types here let through no more than its schema does, and say nothing of what is wrong.
"""

from typing import Annotated

import msgspec

from recsys.core.domain import CONTEXT_KEY_PATTERN
from recsys.core.limits import (
    MAX_CONTEXT_ENTRIES,
    MAX_CONTEXT_VALUE_CHARACTERS,
    MAX_EVENTS,
    MAX_ID_CHARACTERS,
    MAX_NUMBER,
    MAX_QUERY_CHARACTERS,
)
from recsys.core.recording import EventDraft
from recsys.core.times import read_time_ms

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_CHARACTERS)]
_Number = Annotated[float, msgspec.Meta(ge=0, le=MAX_NUMBER)]
_ContextKey = Annotated[str, msgspec.Meta(pattern=CONTEXT_KEY_PATTERN)]
_ContextValue = Annotated[str, msgspec.Meta(max_length=MAX_CONTEXT_VALUE_CHARACTERS)]
_Query = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_QUERY_CHARACTERS)]
_Context = Annotated[dict[_ContextKey, _ContextValue], msgspec.Meta(max_length=MAX_CONTEXT_ENTRIES)]


class _Event(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    user_id: _Id
    item_id: _Id
    event_type: _Id
    event_id: _Id | None = None
    timestamp: int | str | None = None
    quantity: _Number | None = None
    price: _Number | None = None
    order_id: _Id | None = None
    context: _Context = {}
    rating: _Number | None = None
    query: _Query | None = None


class _Batch(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    events: Annotated[list[_Event], msgspec.Meta(min_length=1, max_length=MAX_EVENTS)]


_decode = msgspec.json.Decoder(_Batch).decode


def read_good_batch(body: bytes) -> list[EventDraft] | None:
    """The events of a batch, or None where any of it might be at fault."""
    try:
        return [
            EventDraft(
                event.user_id,
                event.item_id,
                event.event_type,
                event.event_id,
                None if event.timestamp is None else read_time_ms(event.timestamp),
                event.quantity,
                event.price,
                event.order_id,
                event.context,
                event.rating,
                event.query,
            )
            for event in _decode(body).events
        ]
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
