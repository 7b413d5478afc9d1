"""Reads of the recommender from Redis, on its event loop."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, cast

import redis.asyncio
import structlog

from recsys.core.behaviour import Impression, RecentEvent, RecentEvents
from recsys.core.catalogue import GONE, CatalogueChanges, CatalogueRow
from recsys.core.errors import InvalidModel, Unavailable
from recsys.core.ports import ReadUser, UserLookup
from recsys.core.purchases import Purchase
from recsys.stores.documents import decode_row
from recsys.stores.redis import keys
from recsys.stores.redis.connect import reason, to_bytes, to_text, translated_errors
from recsys.stores.redis.live_catalogue import GONE_DOCUMENT
from recsys.stores.redis.multiplexed import MultiplexedRedis, command_bytes
from recsys.stores.redis.purchases import ITEM, MARK
from recsys.stores.redis.recent import decode_events, decode_impressions
from recsys.stores.redis.user_record import unpack_user

# One key is of another type than it should be.
_WRONG_TYPE = "WRONGTYPE"
# Items read at once: decoding them keeps the event loop for a few milliseconds.
_ITEMS_PER_PAGE = 1000
_PURCHASES_PER_PAGE = 5000

_log = structlog.get_logger()

# An entry of a stream: its position and fields, as redis-py gives it for other types than it says.
_Entries = list[tuple[bytes, dict[bytes, bytes]]]


class RedisServingStore:
    """The ServingStore port.

    Args:
        client: for what is read now and then.
        shared: for users, who must not wait.
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

    async def catalogue_position(self, tenant: str) -> str | None:
        with translated_errors():
            newest = await self._redis.xrevrange(keys.catalogue_log(tenant), count=1)
        return cast(_Entries, newest)[0][0].decode() if newest else None

    async def catalogue(self, tenant: str) -> AsyncIterator[Mapping[str, CatalogueRow]]:
        key, cursor = keys.catalogue(tenant), 0
        while True:
            with translated_errors():
                cursor, found = await self._redis.hscan(key, cursor, count=_ITEMS_PER_PAGE)
            yield _rows(cast(dict[bytes, bytes], found))
            if cursor == 0:
                return

    async def catalogue_changes(self, tenant: str, after: str | None) -> CatalogueChanges | None:
        log, count = keys.catalogue_log(tenant), _ITEMS_PER_PAGE + 1
        with translated_errors():
            # With the last one that is known: only where it still is there, none was forgotten.
            reply = await self._redis.xrange(log, min=after or "-", count=count)
        entries = cast(_Entries, reply)
        if after is None:
            return None if entries else CatalogueChanges(None, {})
        if not entries or entries[0][0].decode() != after:
            return None
        # In the order in which they came, by which every replica knows what is newest.
        changed = list(dict.fromkeys(fields[b"item"] for _, fields in entries[1:]))
        if not changed:
            return CatalogueChanges(after, {})
        with translated_errors():
            values = await self._redis.hmget(keys.catalogue(tenant), changed)
        documents = zip(changed, cast(list[bytes | None], values), strict=True)
        # What is not there any more was gone, and no model knows it.
        rows = {item_id: document or GONE_DOCUMENT for item_id, document in documents}
        return CatalogueChanges(entries[-1][0].decode(), _rows(rows))

    async def purchases(self, tenant: str, after: int | str) -> tuple[str, list[Purchase]]:
        # Positions begin with the time at which an entry came; "(" leaves out the last one known.
        start = f"({after}" if isinstance(after, str) else str(after)
        with translated_errors():
            reply = await self._redis.xrange(
                keys.purchases(tenant), min=start, count=_PURCHASES_PER_PAGE
            )
        entries = cast(_Entries, reply)
        position = entries[-1][0].decode() if entries else str(after)
        item, mark = ITEM.encode(), MARK.encode()
        return position, [
            Purchase(fields[item].decode(), fields[mark].decode()) for _, fields in entries
        ]

    async def users(self, wanted: Sequence[UserLookup]) -> list[ReadUser]:
        commands: list[bytes] = []
        for user in wanted:
            if user.with_record:
                key = keys.user(user.tenant, user.version, user.user_id)
                commands.append(command_bytes(b"GET", key.encode()))
            key = keys.recent(user.tenant, user.user_id)
            commands.append(command_bytes(b"ZRANGE", key.encode(), b"0", b"-1", b"WITHSCORES"))
            if user.with_impressions:
                key = keys.shown(user.tenant, user.user_id)
                commands.append(command_bytes(b"ZRANGE", key.encode(), b"0", b"-1", b"WITHSCORES"))
        if not commands:
            return []
        replies = iter(await self._shared.execute(b"".join(commands), len(commands)))
        return [_read(replies, user) for user in wanted]


def _rows(documents: Mapping[bytes, bytes]) -> dict[str, CatalogueRow]:
    return {item_id.decode(): _row(document) for item_id, document in documents.items()}


def _row(document: bytes) -> CatalogueRow:
    if document == GONE_DOCUMENT:
        return GONE
    try:
        return decode_row(document)
    except ValueError as error:
        # Not shown rather than shown in spite of what it says; the others are as they are.
        _log.error("catalogue_item_damaged", reason=str(error))
        return GONE


def _read(replies: Iterator[Any], user: UserLookup) -> ReadUser:
    record, packed = next(replies) if user.with_record else None, next(replies)
    shown = next(replies) if user.with_impressions else None
    stored, recent, problem = None, RecentEvents((), _decoded), None
    impressions: Sequence[Impression] = ()
    # Each by itself: what is wrong with one leaves the others as they are.
    try:
        stored = unpack_user(_whole(record)) if record else None
    except InvalidModel as error:
        problem = str(error)
    try:
        recent = RecentEvents(tuple(_whole(packed)), _decoded)
    except InvalidModel as error:
        problem = str(error)
    try:
        impressions = decode_impressions(_pairs(_whole(shown))) if shown else ()
    except InvalidModel as error:
        problem = str(error)
    return ReadUser(stored, recent, problem, impressions)


def _whole(reply: Any) -> Any:
    """Raises InvalidModel where only this key is at fault, Unavailable where Redis is."""
    if not isinstance(reply, Exception):
        return reply
    if str(reply).startswith(_WRONG_TYPE):
        raise InvalidModel(f"a key holds something else: {reply}")
    raise Unavailable("redis", reason(reply))


def _decoded(packed: tuple[Any, ...]) -> list[RecentEvent]:
    return decode_events(_pairs(packed))


def _pairs(members: Sequence[Any]) -> Iterator[tuple[bytes, float]]:
    """Members and scores of a sorted set, which come in turns."""
    return zip(members[::2], map(float, members[1::2]), strict=True)
