"""What a shop says of a user, for rules that depend on it: read from ingest within a moment."""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import grpc
import structlog

from recsys.core.domain import Attribute
from recsys.core.errors import InvalidInput
from recsys.rpc.convert import to_user
from recsys.rpc.v1 import ingest_pb2
from recsys.rpc.v1.ingest_pb2_grpc import IngestServiceStub

# Some thirty times what a read of HBase takes, and a tenth of what an answer may.
ATTRIBUTES_SECONDS = 0.1
# The placements of a page, and its next page, ask about the same user; what could not be had for
# the first one must not be waited for by each.
_KEPT_SECONDS = 1.0
_MAX_KEPT = 10_000
# Ingest has 16 threads, which are there for events.
_READS_AT_ONCE = 4

_log = structlog.get_logger()


class UserAttributes:
    """Reads attributes; make it inside the running event loop.

    Args:
        metadata: of every call, by which ingest knows the caller.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        channel: "grpc.aio.Channel",
        metadata: Sequence[tuple[str, str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stub = IngestServiceStub(channel)
        self._metadata = metadata
        self._clock = clock
        self._reads = asyncio.Semaphore(_READS_AT_ONCE)
        self._kept = OrderedDict[tuple[str, str], tuple[float, Mapping[str, Attribute] | None]]()

    async def of(self, tenant: str, user_id: str) -> Mapping[str, Attribute] | None:
        """The attributes of a user, at most a second old; none of one of whom nothing is said.

        None where they cannot be had in time.
        """
        read_at, known = self._kept.get((tenant, user_id), (-math.inf, None))
        if self._clock() - read_at < _KEPT_SECONDS:
            return known
        found = await self._read_in_time(tenant, user_id)
        self._kept[tenant, user_id] = self._clock(), found
        self._kept.move_to_end((tenant, user_id))
        if len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
        return found

    async def _read_in_time(self, tenant: str, user_id: str) -> Mapping[str, Attribute] | None:
        try:
            async with asyncio.timeout(ATTRIBUTES_SECONDS), self._reads:
                return await self._read(tenant, user_id)
        except (TimeoutError, InvalidInput, grpc.aio.AioRpcError) as error:
            _log.info("attributes_not_read", reason=type(error).__name__)
            return None

    async def _read(self, tenant: str, user_id: str) -> Mapping[str, Attribute]:
        request = ingest_pb2.GetUserRequest(tenant=tenant, user_id=user_id)
        try:
            answer = await self._stub.GetUser(
                request, timeout=ATTRIBUTES_SECONDS, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return {}
            raise
        return to_user(answer.user).attributes
