"""Requests at a steady pace while something happens to the stack."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.shop import Shop
from tests.eventually import eventually

_WAIT_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one request; status 0 stands for no answer at all."""

    path: str
    status: int
    body: dict[str, Any]


@dataclass
class Load:
    """The answers so far."""

    answered: list[Answered] = field(default_factory=list)

    def await_more(self, count: int) -> None:
        """Until that many further requests have been answered."""
        until = len(self.answered) + count
        eventually(lambda: len(self.answered) >= until, within_seconds=60)

    def failures(self) -> list[Answered]:
        return [one for one in self.answered if one.status != httpx.codes.OK]


@contextmanager
def load(shop: Shop, paths: Sequence[str], per_second: float) -> Iterator[Load]:
    """Ask for these paths in turn, until the block ends and the last answer has come."""
    found, ended = Load(), threading.Event()
    worker = threading.Thread(
        target=lambda: asyncio.run(_ask_on(shop, paths, per_second, found, ended))
    )
    worker.start()
    try:
        yield found
    finally:
        ended.set()
        worker.join(timeout=2 * _WAIT_SECONDS)
    assert not worker.is_alive()


async def _ask_on(
    shop: Shop, paths: Sequence[str], per_second: float, found: Load, ended: threading.Event
) -> None:
    async with httpx.AsyncClient(
        base_url=shop.stack.settings.url,
        headers={"X-API-Key": shop.key},
        timeout=_WAIT_SECONDS,
        trust_env=False,
    ) as client:
        clock = asyncio.get_running_loop().time
        started, number = clock(), 0
        async with asyncio.TaskGroup() as asked:
            while not ended.is_set():
                asked.create_task(_ask(client, paths[number % len(paths)], found))
                number += 1
                await asyncio.sleep(max(0.0, started + number / per_second - clock()))


async def _ask(client: httpx.AsyncClient, path: str, found: Load) -> None:
    try:
        answer = await client.get(path)
        found.answered.append(Answered(path, answer.status_code, answer.json()))
    except httpx.HTTPError as error:
        found.answered.append(Answered(path, 0, {"error": repr(error)}))
