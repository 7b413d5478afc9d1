"""All that clients do, good and bad: what a soak is made of.

They ask for shoppers and items all over the shop, post events, sell items out and back in, name
paths and keys that do not exist, and leave: after some requests in order, or in the middle of one.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random

import httpx

from benchmarks.serving.chains import Chain
from benchmarks.serving.made_up_shop import MadeUpShop
from benchmarks.serving.rows import LIMIT, recommendations
from infra.local.settings import LOOPBACK

_CLIENTS = 8
_REQUESTS_PER_CONNECTION = 40
_TIMEOUT_SECONDS = 10.0
# At most; an answer takes a few milliseconds.
_HANG_UP_SECONDS = 0.01
# UserLists who do something and items that sell out: enough to be all different for a while, few
# enough that stores are full of them after minutes.
_POSTERS, _SELLING_OUT = 3_000, 1_000

Act = Callable[[httpx.AsyncClient, Random], Awaitable[httpx.Response]]


@dataclass
class Traffic:
    """So many requests a second at most: each client rests after each answer.

    Attributes:
        statuses: how often each thing ended how; a status of 0 is no answer.
    """

    chain: Chain
    shop: MadeUpShop
    per_second: float
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Beside what the block does, until it ends."""
        ended = threading.Event()
        thread = threading.Thread(target=lambda: asyncio.run(self._run(ended)), name="traffic")
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def summary(self) -> str:
        """Counts by what was done and how it ended."""
        lines = [
            f"{name}: "
            + ", ".join(
                f"{count:,} x {status or 'no answer'}"
                for (whose, status), count in sorted(self.statuses.items())
                if whose == name
            )
            for name in sorted({name for name, _ in self.statuses})
        ]
        return "\n".join(lines)

    async def _run(self, ended: threading.Event) -> None:
        async with asyncio.TaskGroup() as clients:
            for seed in range(_CLIENTS):
                clients.create_task(self._client(Random(seed), ended))

    async def _client(self, random: Random, ended: threading.Event) -> None:
        acts = self._acts()
        names, weights = list(acts), [weight for weight, _ in acts.values()]
        headers = {"X-API-Key": self.chain.key}
        while not ended.is_set():
            async with httpx.AsyncClient(
                base_url=self.chain.url, headers=headers, timeout=_TIMEOUT_SECONDS, trust_env=False
            ) as client:
                for name in random.choices(names, weights, k=_REQUESTS_PER_CONNECTION):
                    await self._act(name, acts[name][1](client, random))
                    await asyncio.sleep(_CLIENTS / self.per_second)
                    if ended.is_set():
                        return

    async def _act(self, name: str, coming: Awaitable[httpx.Response]) -> None:
        status = 0
        with suppress(httpx.TransportError, OSError):
            status = (await coming).status_code
        self.statuses[name, status] += 1

    def _acts(self) -> dict[str, tuple[int, Act]]:
        """By name: how often beside the others, and what."""
        return {
            "recommendations": (8, lambda c, r: c.get(recommendations(self._user(r)))),
            "session": (2, lambda c, r: c.get("/v1/recommendations", params=self._viewed(r))),
            "similar": (4, lambda c, r: c.get(f"/v1/items/{self._item(r)}/similar?limit={LIMIT}")),
            "events": (3, lambda c, r: c.post("/v1/events", json={"events": self._events(r)})),
            "stock": (2, lambda c, r: c.put(f"/v1/items/{self._sold(r)}", json=_stock(r))),
            "item": (1, lambda c, r: c.get(f"/v1/items/{self._sold(r)}")),
            "unknown path": (1, lambda c, r: c.get(f"/v1/{r.getrandbits(64)}/{r.getrandbits(64)}")),
            "unknown key": (1, _with_unknown_key),
            "bad input": (1, _with_bad_input),
            "hang up": (1, self._hang_up),
        }

    def _user(self, random: Random) -> str:
        """Of the nightly job, or one who has done something lately, or nobody."""
        number = random.randrange(self.shop.users + self.shop.users // 10)
        return random.choice((f"user-{number:07}", f"user-{number % _POSTERS:07}"))

    def _item(self, random: Random) -> str:
        return f"item-{random.randrange(self.shop.items):07}"

    def _sold(self, random: Random) -> str:
        return f"item-{random.randrange(_SELLING_OUT):07}"

    def _viewed(self, random: Random) -> list[tuple[str, str | int | float | bool | None]]:
        return [("item_id", self._item(random)) for _ in range(3)] + [("limit", LIMIT)]

    def _events(self, random: Random) -> list[dict[str, str]]:
        user_id = f"user-{random.randrange(_POSTERS):07}"
        types = random.choices(("view", "purchase"), (9, 1), k=5)
        return [
            {"user_id": user_id, "item_id": self._item(random), "event_type": each}
            for each in types
        ]

    async def _hang_up(self, _: httpx.AsyncClient, random: Random) -> httpx.Response:
        """In the middle of a request, or before its answer, on a connection apart."""
        port = self.chain.settings.ports.http
        _reader, writer = await asyncio.open_connection(LOOPBACK, port)
        head = f"GET {recommendations(self._user(random))} HTTP/1.1\r\nHost: shop\r\n"
        whole = f"{head}X-API-Key: {self.chain.key}\r\n\r\n".encode()
        writer.write(random.choice((whole, whole[:-10])))
        await asyncio.sleep(random.random() * _HANG_UP_SECONDS)
        writer.transport.abort()
        return httpx.Response(httpx.codes.NO_CONTENT)


def _stock(random: Random) -> dict[str, object]:
    return {"title": "Made-up product", "available": random.random() < 0.5}


def _with_bad_input(client: httpx.AsyncClient, random: Random) -> Awaitable[httpx.Response]:
    headers = {"Content-Type": "application/json"}
    return client.post("/v1/events", content=random.randbytes(50), headers=headers)


def _with_unknown_key(client: httpx.AsyncClient, random: Random) -> Awaitable[httpx.Response]:
    headers = {"X-API-Key": f"{random.getrandbits(128):032x}"}
    return client.get("/v1/users/somebody/recommendations", headers=headers)
