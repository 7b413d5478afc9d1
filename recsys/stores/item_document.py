"""Items as JSON documents: how the durable and the live catalogue write them down."""

import json
from dataclasses import asdict

from recsys.core.catalogue import CatalogueRow
from recsys.core.domain import Item

_encode_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def item_document(item: Item) -> bytes:
    """An item without its id, by which it is found."""
    fields = asdict(item)
    del fields["item_id"]
    return _encode_json(fields).encode()


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
        return CatalogueRow(fields["title"], fields["price"], bool(fields["available"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not an item: {document[:100]!r}") from error
