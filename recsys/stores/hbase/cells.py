"""Contents of the cells: how events are written down and read back."""

import json
from typing import Any

from recsys.core.domain import Event
from recsys.stores.documents import encode_document
from recsys.stores.hbase.layout import ACTION, CONTEXT, DETAILS

Cells = dict[bytes, bytes]

_SEPARATOR = b"\0"
_DETAILS = ("quantity", "price", "order_id", "rating", "query")


def event_cells(event: Event) -> Cells:
    """The cells of an event; what the row key holds (user, time, event id) is not repeated."""
    cells = {ACTION: event.event_type.encode() + _SEPARATOR + event.item_id.encode()}
    details = {name: value for name in _DETAILS if (value := getattr(event, name)) is not None}
    if details:
        cells[DETAILS] = encode_document(details)
    if event.context:
        cells[CONTEXT] = encode_document(event.context)
    return cells


def split_action(cell: bytes) -> tuple[bytes, bytes]:
    """Event type and item id of an action cell, both utf-8.

    Raises:
        ValueError: when the cell is not one of ours.
    """
    event_type, separator, item_id = cell.partition(_SEPARATOR)
    if not separator:
        raise ValueError(f"not an action cell: {cell!r}")
    return event_type, item_id


def decode_details(cell: bytes | None) -> dict[str, Any]:
    """Details of an event by the names of its fields, as far as it has them."""
    found = {} if cell is None else json.loads(cell)
    # What a later release has added is left out: its services may write while this one still reads.
    return {name: found[name] for name in _DETAILS if name in found}


def decode_context(cell: bytes | None) -> dict[str, str]:
    """Context of an event, empty where it has none."""
    return {} if cell is None else dict(json.loads(cell))
