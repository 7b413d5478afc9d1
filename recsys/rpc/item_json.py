"""The JSON of a recommended item: the one place that writes it, for gateway and recommender."""

from collections.abc import Iterable, Mapping, Sequence

# What json.dumps calls for a text, once it has made an encoder: a twentieth of the time.
from json.encoder import encode_basestring


def item_fragment(item_id: str, title: str | None, price: float | None) -> bytes:
    """The beginning of an item's JSON, up to its score."""
    shown_title = "null" if title is None else encode_basestring(title)
    shown_price = "null" if price is None else repr(price)
    text = f'{{"item_id":{encode_basestring(item_id)},"title":{shown_title},"price":{shown_price}'
    return f'{text},"score":'.encode()


def seed_json(fragment: bytes) -> bytes:
    """An item that explains why others are recommended, of its `item_fragment`."""
    # A quote within the title has a backslash before it.
    return fragment[: fragment.rindex(b',"price":')] + b"}"


def reranked_json(
    item_ids: Iterable[str], unknown: Iterable[str], model_version: str | None, *, degraded: bool
) -> bytes:
    """The JSON object of items in a user's order, without its closing brace."""
    order, rest = (",".join(map(encode_basestring, ids)) for ids in (item_ids, unknown))
    version = "null" if model_version is None else encode_basestring(model_version)
    flag = "true" if degraded else "false"
    text = f'{{"item_ids":[{order}],"unknown":[{rest}],"model_version":{version},"degraded":{flag}'
    return text.encode()


def with_source(item: bytes, source: str) -> bytes:
    """The JSON of an item that says where it comes from, too."""
    return b'%b,"source":"%b"}' % (item[:-1], source.encode())


def with_relaxed(item: bytes) -> bytes:
    """The JSON of an item that says that the filter does not let it pass, too."""
    return b'%b,"relaxed":true}' % item[:-1]


def with_reason(
    item: bytes, code: str, seeds: Sequence[bytes], score_parts: Mapping[str, float]
) -> bytes:
    """The JSON of an item that says why it is recommended, and what makes up its score, too.

    Args:
        seeds: see `seed_json`.
    """
    parts = ",".join([f'"{name}":{part:.7g}' for name, part in score_parts.items()])
    reason = b'"reason":{"code":"%b","seeds":[%b]}' % (code.encode(), b",".join(seeds))
    return b'%b,%b,"score_parts":{%b}}' % (item[:-1], reason, parts.encode())
