"""JSON documents of HBase and Redis, and those of items."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from recsys.core.catalogue import NO_ATTRIBUTES, CatalogueRow
from recsys.core.domain import Item

_ITEM_FIELDS = {field.name for field in fields(Item)} - {"item_id"}
# Fields that came later, where an item has none.
_LEFT_OUT = ("quantity", "tags", "list_price", "publish_ms", "expire_ms", "created_ms")
_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_document(document: Mapping[str, Any] | Sequence[Any]) -> bytes:
    return _encode_json(document).encode()


def item_document(item: Item) -> bytes:
    """An item without its id, by which it is found."""
    document = asdict(item)
    del document["item_id"]
    # The documents of items from before must stay the bytes they were: they are compared.
    for name in _LEFT_OUT:
        if not document[name] and document[name] != 0:
            del document[name]
    return encode_document(document)


def decode_item(item_id: bytes, document: bytes) -> Item:
    found = json.loads(document)
    # What a later release has added is left out: its services may write while this one still reads.
    known = {name: value for name, value in found.items() if name in _ITEM_FIELDS}
    known["categories"] = tuple(known["categories"])
    known["tags"] = tuple(known.get("tags", ()))
    return Item(item_id.decode(), **known)


def decode_row(document: bytes) -> CatalogueRow:
    """Read the part of an item that answers are made of.

    Raises:
        ValueError: when it is no document of an item.
    """
    try:
        found = json.loads(document)
        return CatalogueRow(
            found["title"],
            found["price"],
            # As in `Item.can_be_bought`.
            bool(found["available"]) and found.get("quantity") != 0,
            tuple(found["categories"]),
            found["brand"],
            dict(found["attributes"]) or NO_ATTRIBUTES,
            tuple(found.get("tags", ())),
            found.get("publish_ms"),
            found.get("expire_ms"),
            found.get("created_ms"),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an item: {document[:100]!r}") from error
