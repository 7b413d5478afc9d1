"""All that answers are made from, as one number: equal when Redis would answer equally."""

import hashlib
import json
from collections.abc import Iterator

from recsys.core.model import ScoringParams
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import unpack_items
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis
from recsys.stores.redis.recent import decode_events


def serving_digest(redis: Redis, tenant: str) -> str:
    """A hash of every serving key and value of a tenant, in whatever order they come.

    What no answer depends on is left out: other versions, events that are in the model already, and
    gone items that the model would not show anyway.
    """
    version = redis.get(keys.current_model(tenant)).decode()
    lines = sorted(_entries(redis, tenant, version))
    return hashlib.sha256(json.dumps(lines).encode()).hexdigest()


def _entries(redis: Redis, tenant: str, version: str) -> Iterator[list[str]]:
    params = Manifest.from_json(redis.get(keys.manifest(tenant, version))).recipe.to_params()
    yield ["serving", version]
    for key in redis.scan_iter(f"{keys.version_prefix(tenant, version)}*"):
        yield [key.decode(), hashlib.sha256(redis.get(key)).hexdigest()]
    for key in redis.scan_iter(keys.recent(tenant, "*")):
        if counting := _counting_events(redis, key, params):
            yield [key.decode(), *counting]
    yield ["catalogue", *sorted(_live_catalogue(redis, tenant, version))]


def _counting_events(redis: Redis, key: bytes, params: ScoringParams) -> list[str]:
    counting = []
    for member in redis.zrange(key, 0, -1, withscores=True):
        [event] = decode_events([member])
        if event.received_ms >= params.read_at_ms or event.timestamp_ms >= params.end_ms:
            counting.append(f"{event.received_ms} {member[0].decode()}")
    return sorted(counting)


def _live_catalogue(redis: Redis, tenant: str, version: str) -> Iterator[str]:
    chunks = len(list(redis.scan_iter(f"{keys.version_prefix(tenant, version)}items:*")))
    packed = [redis.get(keys.items_chunk(tenant, version, number)) for number in range(chunks)]
    model = unpack_items(b"".join(packed))
    shown = {item_id for row, item_id in enumerate(model.ids) if model.eligible[row]}
    for item_id, document in redis.hgetall(keys.catalogue(tenant)).items():
        if document or item_id.decode() in shown:
            yield f"{item_id.decode()} {document.decode()}"
