"""What the recommender reads from Redis, on its event loop."""

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

import redis.asyncio

from recsys.core.behaviour import RecentEvent, RecentEvents
from recsys.core.errors import InvalidModel, Unavailable
from recsys.core.ports import ReadUser, UserLookup
from recsys.stores.redis import keys
from recsys.stores.redis.connect import to_bytes, to_text, translated_errors
from recsys.stores.redis.multiplexed import MultiplexedRedis, command_bytes
from recsys.stores.redis.recent import decode_events
from recsys.stores.redis.user_record import unpack_user

# One key is of another type than it should be.
_WRONG_TYPE = "WRONGTYPE"


class RedisServingStore:
    """The ServingStore port.

    Args:
        client: for what is read now and then.
        shared: for shoppers, who must not wait.
    """

    def __init__(self, client: "redis.asyncio.Redis", shared: MultiplexedRedis) -> None:
        self._redis = client
        self._shared = shared

    async def current(self, tenant: str) -> str | None:
        with translated_errors():
            version = await self._redis.get(keys.current_model(tenant))
        return to_text(version) if version else None

    async def item_model(self, tenant: str, version: str) -> tuple[bytes, bytes]:
        chunks: list[bytes] = []
        with translated_errors():
            manifest = await self._redis.get(keys.manifest(tenant, version))
            while chunk := await self._redis.get(keys.items_chunk(tenant, version, len(chunks))):
                chunks.append(to_bytes(chunk))
        if not manifest or not chunks:
            raise InvalidModel(f"model {version} of {tenant} is not whole in Redis")
        return to_bytes(manifest), b"".join(chunks)

    async def hidden_changes(self, tenant: str) -> Hashable:
        with translated_errors():
            return await self._redis.get(keys.hidden_changes(tenant))

    async def hidden(self, tenant: str) -> set[str]:
        with translated_errors():
            members = await self._redis.smembers(keys.hidden_items(tenant))
        return {to_text(member) for member in members}

    async def users(self, wanted: Sequence[UserLookup]) -> list[ReadUser]:
        commands: list[bytes] = []
        for user in wanted:
            if user.with_record:
                key = keys.user(user.tenant, user.version, user.user_id)
                commands.append(command_bytes(b"GET", key.encode()))
            key = keys.recent(user.tenant, user.user_id)
            commands.append(command_bytes(b"ZRANGE", key.encode(), b"0", b"-1", b"WITHSCORES"))
        if not commands:
            return []
        replies = iter(await self._shared.execute(b"".join(commands), len(commands)))
        return [_read(replies, user.with_record) for user in wanted]


def _read(replies: Iterator[Any], with_record: bool) -> ReadUser:
    record, packed = next(replies) if with_record else None, next(replies)
    stored, problem = None, None
    try:
        stored = unpack_user(_whole(record)) if record else None
    except InvalidModel as error:
        problem = str(error)
    try:
        return ReadUser(stored, RecentEvents(tuple(_whole(packed)), _decoded), problem)
    except InvalidModel as error:
        return ReadUser(stored, RecentEvents((), _decoded), str(error))


def _whole(reply: Any) -> Any:
    """Raises InvalidModel where only this key is at fault, Unavailable where Redis is."""
    if not isinstance(reply, Exception):
        return reply
    if str(reply).startswith(_WRONG_TYPE):
        raise InvalidModel(f"a key holds something else: {reply}")
    raise Unavailable("redis", str(reply))


def _decoded(packed: tuple[Any, ...]) -> list[RecentEvent]:
    return decode_events(zip(packed[::2], map(float, packed[1::2]), strict=True))
