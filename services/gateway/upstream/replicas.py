"""The replicas of the recommender: which there are, and which of them may be asked."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import structlog

from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.upstream.pending_request import PendingRequest
from services.gateway.upstream.replica import Replica, State
from services.gateway.upstream.replica_addresses import LOOKUP_SECONDS, ReplicaAddresses

_log = structlog.get_logger()


class Replicas:
    """One stream to each replica a target names; make it inside the running event loop.

    Args:
        service_token, on_free, on_lost, on_snapshot: see `Replica`.
    """

    def __init__(
        self,
        addresses: ReplicaAddresses,
        service_token: str,
        *,
        on_free: Callable[[], None],
        on_lost: Callable[[Sequence[PendingRequest]], None],
        on_snapshot: Callable[[pb.Snapshot], None],
    ) -> None:
        self._addresses, self._service_token = addresses, service_token
        self._on_free, self._on_lost, self._on_snapshot = on_free, on_lost, on_snapshot
        # The one that was asked last is at the end.
        self._rotation: deque[Replica] = deque()
        self._following = asyncio.create_task(self._follow_addresses())

    def __iter__(self) -> Iterator[Replica]:
        return iter(self._rotation)

    def is_any_ready(self) -> bool:
        return any(replica.state is State.READY for replica in self._rotation)

    def count_ready(self) -> int:
        return sum(replica.state is State.READY for replica in self._rotation)

    def can_answer_within(self, seconds: float, now: float) -> bool:
        """Also where one hangs for a moment: it may come back before the time is over."""
        return any(
            replica.state is State.READY or replica.is_hung_for_less_than(seconds, now)
            for replica in self._rotation
        )

    def is_any_refusing(self) -> bool:
        """Tell whether one answers by an older model, since it cannot load the newest."""
        return any(replica.refusing for replica in self._rotation)

    def is_any_busy(self) -> bool:
        return any(replica.is_busy for replica in self._rotation)

    def count_free(self) -> int:
        return sum(replica.is_free for replica in self._rotation)

    def next_free(self) -> Replica | None:
        """Pick the next replica with room, in turns."""
        for _ in range(len(self._rotation)):
            self._rotation.rotate(-1)
            if self._rotation[-1].is_free:
                return self._rotation[-1]
        return None

    async def close(self) -> None:
        self._following.cancel()
        running = [replica.stop() for replica in self._rotation]
        await asyncio.gather(self._following, *running, return_exceptions=True)

    async def _follow_addresses(self) -> None:
        while True:
            try:
                self._follow(await self._addresses.look_up())
            except OSError as error:
                _log.warning("recommenders_not_found", reason=str(error))
            await asyncio.sleep(LOOKUP_SECONDS)

    def _follow(self, addresses: frozenset[str]) -> None:
        known = {replica.address: replica for replica in self._rotation}
        for address in addresses - known.keys():
            replica = Replica(
                address,
                self._service_token,
                on_free=self._on_free,
                on_lost=self._on_lost,
                on_snapshot=self._on_snapshot,
            )
            self._rotation.append(replica)
        for address in known.keys() - addresses:
            # One that still talks is on its way out, and says itself when it is done.
            if known[address].state is State.AWAY:
                self._rotation.remove(known[address])
                known[address].stop()
