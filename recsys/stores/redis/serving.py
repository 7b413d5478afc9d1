"""What the recommender reads from Redis, on its event loop."""

import redis.asyncio

from recsys.core.errors import InvalidModel
from recsys.core.recommend import RecentEvent, StoredUser
from recsys.stores.redis import keys
from recsys.stores.redis.connect import to_bytes, to_text, translated_errors
from recsys.stores.redis.recent import decode_event
from recsys.stores.redis.user_record import unpack_user


class RedisServingStore:
    """The ServingStore port."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._redis = client

    async def current(self, tenant: str) -> str | None:
        with translated_errors():
            version = await self._redis.get(keys.current_model(tenant))
        return to_text(version) if version else None

    async def item_side(self, tenant: str, version: str) -> tuple[bytes, bytes]:
        chunks: list[bytes] = []
        with translated_errors():
            manifest = await self._redis.get(keys.manifest(tenant, version))
            while chunk := await self._redis.get(keys.items_chunk(tenant, version, len(chunks))):
                chunks.append(to_bytes(chunk))
        if not manifest or not chunks:
            raise InvalidModel(f"model {version} of {tenant} is not whole in Redis")
        return to_bytes(manifest), b"".join(chunks)

    async def hidden(self, tenant: str) -> set[str]:
        with translated_errors():
            members = await self._redis.smembers(keys.hidden_items(tenant))
        return {to_text(member) for member in members}

    async def user(
        self, tenant: str, version: str, user_id: str
    ) -> tuple[StoredUser | None, list[RecentEvent]]:
        with translated_errors():
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.get(keys.user(tenant, version, user_id))
                pipeline.zrange(keys.recent(tenant, user_id), 0, -1, withscores=True)
                record, recent = await pipeline.execute()
        stored = unpack_user(record) if record else None
        return stored, [decode_event(member, received) for member, received in recent]
