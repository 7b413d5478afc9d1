"""JSON documents of HBase and Redis, and those of items."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from recsys.core.catalogue import NO_ATTRIBUTES, CatalogueRow
from recsys.core.domain import Item

_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode_document(document: Mapping[str, Any]) -> bytes:
    return _encode_json(document).encode()


def item_document(item: Item) -> bytes:
    """An item without its id, by which it is found."""
    fields = asdict(item)
    del fields["item_id"]
    return encode_document(fields)


def decode_item(item_id: bytes, document: bytes) -> Item:
    fields = json.loads(document)
    fields["categories"] = tuple(fields["categories"])
    return Item(item_id.decode(), **fields)


def decode_row(document: bytes) -> CatalogueRow:
    """Read the part of an item that answers are made of.

    Raises:
        ValueError: when it is no document of an item.
    """
    try:
        fields = json.loads(document)
        return CatalogueRow(
            fields["title"],
            fields["price"],
            bool(fields["available"]),
            tuple(fields["categories"]),
            fields["brand"],
            dict(fields["attributes"]) or NO_ATTRIBUTES,
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an item: {document[:100]!r}") from error
