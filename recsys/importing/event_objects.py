"""From columns of checked events to the objects that are stored."""

import hashlib
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import repeat
from json.encoder import encode_basestring_ascii
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from recsys.core.domain import Event
from recsys.importing.column_values import Ids
from recsys.importing.event_batch import EventBatch

_ID_BYTES = 16
# What files have no columns for is as in an event that has none of it.
_PLAIN_EVENT = Event("-", "-", "-", "-", 0)
_NAMES = [each.name for each in fields(Event)]


def events_of(batch: EventBatch) -> list[Event]:
    """The events of a file with types and times, one object each.

    One without an id gets one that the same row has in every import, so that a rerun changes
    nothing.
    """
    times = cast(NDArray[np.int64], batch.timestamps_ms).tolist()
    quantities, prices, ratings = (
        _or_none(batch, name) for name in ("quantity", "price", "rating")
    )
    ids = _texts(batch.event_ids, len(batch))
    if None in ids:
        made = _content_ids(batch, times, quantities, prices)
        ids = [given or content for given, content in zip(ids, made, strict=True)]
    return _made(
        len(batch),
        event_id=ids,
        user_id=_texts(batch.users, len(batch)),
        item_id=_texts(batch.items, len(batch)),
        event_type=_texts(batch.types, len(batch)),
        timestamp_ms=times,
        quantity=quantities,
        price=prices,
        order_id=_texts(batch.order_ids, len(batch)),
        rating=ratings,
        query=_texts(batch.queries, len(batch)),
    )


def _made(count: int, **columns: Iterable[Any]) -> list[Event]:
    """Make events of columns that were checked, without a check of each, which would take longer
    than all the rest; field by field, so that no line of Python runs for each of them.
    """
    events = list(map(object.__new__, repeat(Event, count)))
    for name in _NAMES:
        values = columns.get(name) or repeat(getattr(_PLAIN_EVENT, name))
        deque(map(getattr(Event, name).__set__, events, values), maxlen=0)
    return events


def _content_ids(
    batch: EventBatch, times: list[int], quantities: list[Any], prices: list[Any]
) -> list[str]:
    """Digests of the rows as JSON with sorted names, whose parts are written a column at a time.

    Ratings and queries are not part of them: releases that did not read these made the same ids,
    and the file, imported again, adds them to its events instead of storing new ones.
    """
    count = len(batch)
    users, items, types = (_as_json(ids, count) for ids in (batch.users, batch.items, batch.types))
    orders = _optional("order_id", _as_json(batch.order_ids, count))
    costs, counts = _optional("price", prices), _optional("quantity", quantities)
    contents = [
        f'{{"event_type": {kind}, "item_id": {item}{order}{cost}{pieces}, '
        f'"timestamp_ms": {time_ms}, "user_id": {user}}}'
        for kind, item, order, cost, pieces, time_ms, user in zip(
            types, items, orders, costs, counts, times, users, strict=False
        )
    ]
    return [
        hashlib.blake2b(content.encode(), digest_size=_ID_BYTES).hexdigest() for content in contents
    ]


def _optional(name: str, values: Sequence[Any]) -> Iterable[str]:
    """A member of the JSON of each row, nothing where there is no value."""
    if not any(value is not None for value in values):
        return repeat("")
    return ["" if value is None else f', "{name}": {value}' for value in values]


def _as_json(ids: Ids | None, count: int) -> list[Any]:
    """The id of each row as JSON, each of them encoded once; None where there is none."""
    if ids is None:
        return [None] * count
    used, places = np.unique(ids.codes, return_inverse=True)
    encoded = [None if code < 0 else encode_basestring_ascii(ids.names[code]) for code in used]
    return [encoded[place] for place in places.tolist()]


def _texts(ids: Ids | None, count: int) -> list[Any]:
    """The id of each row, None where there is none."""
    if ids is None:
        return [None] * count
    names, codes = ids.names, ids.codes.tolist()
    if count and ids.codes.min() >= 0:
        return [names[code] for code in codes]
    return [names[code] if code >= 0 else None for code in codes]


def _or_none(batch: EventBatch, name: str) -> list[Any]:
    numbers = batch.numbers.get(name)
    if numbers is None:
        return [None] * len(batch)
    values: list[Any] = numbers.tolist()
    if np.isnan(numbers).any():
        return [None if value != value else value for value in values]
    return values
