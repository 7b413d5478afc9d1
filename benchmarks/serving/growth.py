"""Cost of a request as a shop grows: in users, whose lists are in Redis, and in items."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psutil

from benchmarks.serving import rows
from benchmarks.serving.chains import Chain, kind_of
from benchmarks.serving.figures import BASELINE, Measured, cpu, middle, of, p50, p99, ratio
from benchmarks.serving.generator import Closed
from benchmarks.serving.made_up_shop import MadeUpShop, publish
from benchmarks.serving.rounds import CAPACITY, Rounds
from benchmarks.serving.rows import Row
from benchmarks.serving.tables import faults
from infra.local.servers.tables import DEMO_TENANT
from recsys.stores.redis.connect import Redis

_LOADED_SECONDS = 120.0
# Every replica has answered, whoever came first.
_CLEAN_ANSWERS = 20
_MIB = 2**20
_KINDS = _STORED, _FOLD_IN = "stored", "fold-in, all different"


@dataclass(frozen=True)
class Memory:
    """Bytes that a shop takes in Redis and in each recommender."""

    redis: int
    recommender: int


class Growth:
    """Publishes one shop after the other and measures each."""

    def __init__(self, rounds: Rounds, chain: Chain, hello: Row, client: Redis) -> None:
        self._rounds = rounds
        self._chain = chain
        self._hello = hello
        self._client = client
        self.memory: dict[MadeUpShop, Memory] = {}

    def measure(self, shops: Sequence[MadeUpShop], count: int) -> None:
        for number in range(count):
            self._rounds.measure(self._hello, CAPACITY, Closed(64), number)
            for shop in shops:
                version = publish(self._client, DEMO_TENANT, shop)
                self._await(version)
                for row in self._rows(shop):
                    row.check()
                    self._rounds.measure(row, CAPACITY, Closed(64), number)
                self.memory[shop] = self._memory()

    def table(self) -> str:
        measured = self._rounds.measured
        head = "| users x items | | requests/s | p50 ms | p99 ms | x hello's | CPU us | x hello's "
        head += "| errors | degraded | Redis MiB | a recommender MiB |"
        lines = [head, "|---" * 12 + "|"]
        lines += [line for shop in self.memory for line in self._lines(shop, measured)]
        return "\n".join(["**Growth, closed loop, 64 connections**", "", *lines])

    def _lines(self, shop: MadeUpShop, measured: Sequence[Measured]) -> Iterator[str]:
        memory = self.memory[shop]
        sizes = f"{memory.redis / _MIB:,.0f} | {memory.recommender / _MIB:,.0f}"
        for what in _KINDS:
            name = _name(what, shop)
            rounds = of(measured, name, CAPACITY)
            if not rounds:
                continue
            slower, dearer = (
                ratio(measured, name, BASELINE, CAPACITY, figure) for figure in (p99, cpu)
            )
            yield (
                f"| {shop.users:,} x {shop.items:,} | {what} "
                f"| {middle(rounds, lambda one: one.per_second):,.0f} "
                f"| {middle(rounds, p50):.1f} | {middle(rounds, p99):.1f} | {slower:.1f} "
                f"| {middle(rounds, cpu):.0f} | {dearer:.2f} "
                f"| {' | '.join(faults(rounds))} | {sizes} |"
            )

    def _rows(self, shop: MadeUpShop) -> list[Row]:
        measured = [rows.stored(_name(_STORED, shop), self._chain, shop, rows.MAX_USERS)]
        # In a smaller shop most of them would be asked for again, and answered from memory.
        if shop.users >= 2 * rows.MAX_USERS:
            measured.append(rows.fold_in(_name(_FOLD_IN, shop), self._chain, shop, self._client))
        return measured

    def _await(self, version: str) -> None:
        """Until every replica answers by that version. Raises SystemExit after two minutes."""
        give_up = time.monotonic() + _LOADED_SECONDS
        right_in_a_row = 0
        with self._chain.client() as api:
            while right_in_a_row < _CLEAN_ANSWERS:
                if time.monotonic() > give_up:
                    raise SystemExit(f"version {version} is not served")
                found = api.get(rows.recommendations("nobody")).json().get("model_version")
                right_in_a_row = right_in_a_row + 1 if found == version else 0
                time.sleep(0.05)

    def _memory(self) -> Memory:
        sizes = [
            psutil.Process(pid).memory_info().rss
            for name, pid in self._chain.pids.items()
            if kind_of(name) == "recommender"
        ]
        return Memory(int(self._client.info("memory")["used_memory"]), max(sizes))


def _name(what: str, shop: MadeUpShop) -> str:
    return f"{what}, {shop.users:,} x {shop.items:,}"
