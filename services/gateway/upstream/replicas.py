"""The replicas of the recommender: which there are, and which of them may be asked."""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import structlog

from recsys.config.address import Address, parse_address
from recsys.core.errors import ConfigurationError
from recsys.rpc.v1 import recommender_pb2 as pb
from services.gateway.upstream.replica import PendingRequest, Replica, State

# How long a new replica may stay unknown.
LOOKUP_SECONDS = 2.0


class ReplicaAddresses:
    """The addresses behind a target, looked up again and again: replicas come and go.

    Args:
        target: "dns:///HOST:PORT" for all addresses of a name, "ipv4:A:PORT,B:PORT" for fixed ones.

    Raises:
        ConfigurationError: when it is neither.
    """

    def __init__(self, target: str) -> None:
        scheme, _, rest = target.partition(":")
        self._is_name = scheme == "dns"
        if scheme not in ("dns", "ipv4"):
            raise ConfigurationError(
                f"RECSYS_RECOMMENDER_TARGET is {target!r}: use dns:///HOST:PORT, "
                "or ipv4:ADDRESS:PORT,ADDRESS:PORT"
            )
        try:
            self._fixed = [parse_address(each) for each in rest.lstrip("/").split(",")]
        except ValueError as error:
            raise ConfigurationError(f"RECSYS_RECOMMENDER_TARGET: {error}") from None

    async def look_up(self) -> frozenset[str]:
        """As "HOST:PORT". Raises OSError when a name is not known."""
        if not self._is_name:
            return frozenset(map(str, self._fixed))
        found: set[str] = set()
        for address in self._fixed:
            answers = await asyncio.get_running_loop().getaddrinfo(
                address.host, address.port, type=socket.SOCK_STREAM
            )
            found.update(str(Address(str(answer[4][0]), address.port)) for answer in answers)
        return frozenset(found)


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
