"""Rows measured in turns: every load, every row, then all over again."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import psutil

from benchmarks.serving.chains import LOGS
from benchmarks.serving.figures import BASELINE, Measured, middle, of
from benchmarks.serving.generator import Closed, Open, Request, Vegeta
from benchmarks.serving.hits import Hits
from benchmarks.serving.rows import Row
from benchmarks.serving.wrk import Summary, Wrk

CAPACITY = "closed loop, 64 connections"
CLOSED = {CAPACITY: Closed(64), "closed loop, 16 connections": Closed(16)}
LIGHT = "open loop, 1000 requests/s"
HALF = "open loop, half of the capacity"
_LIGHT_RATE = 1000
# Nearer to what a row can answer, a schedule is no light load any more.
_MAX_OF_CAPACITY = 0.75
# Another row has had the caches since: a closed loop asks most questions of every replica in this
# time.
_WARM_UP_SECONDS = 2.0
# What a benchmark gives for `rest_seconds`.
REST_SECONDS = 10.0
# What a row leaves behind is done when the machine is as idle as with all chains waiting.
_AT_REST_PERCENT, _LOOK_SECONDS = 15.0, 0.5


@dataclass
class Rounds:
    """Measures rows, and remembers.

    Attributes:
        wrk: for closed loops; vegeta does them, too, where there is none.
        half_of: the row by whose capacity the baseline's half load goes, instead of its own.
        seconds: how long each row is under each load in each round.
        rest_seconds: how long to wait at most for the machine to come to rest before each row: a
            store goes on for a while with what it was given.
        measured: all that was found so far.
    """

    vegeta: Vegeta
    seconds: float
    measured: list[Measured]
    wrk: Wrk | None = None
    half_of: str | None = None
    rest_seconds: float = 0.0
    seed: int = 0
    _capacities: dict[str, float] = field(default_factory=dict)

    def run(self, rows: Sequence[Row], rounds: int) -> None:
        """All rows under all loads, round after round."""
        # Under the generator of the open loops, whose own work then is in both: half of what a
        # cheaper one gets out of a row would be most of what this one can.
        for row in rows:
            hits = self._by_vegeta(row, row.requests, CLOSED[CAPACITY], self.seconds)
            self._capacities[row.name] = hits.per_second
        for number in range(rounds):
            turns = in_turn(rows, number)
            for name, closed in CLOSED.items():
                for row in turns:
                    self.measure(row, name, closed, number)
            for name in (LIGHT, HALF):
                for row in turns:
                    self._measure_open(row, name, number)

    def measure(self, row: Row, name: str, load: Closed | Open, number: int) -> Measured:
        """Warm up, measure and remember."""
        self._await_rest()
        self._attack(row, CLOSED[CAPACITY], _WARM_UP_SECONDS)
        if row.prepare:
            row.prepare(self.seed)
        answers, clock = row.answers(), row.chain.cpu_clock()
        hits = self._attack(row, load, self.seconds)
        spent = clock.seconds()
        count = hits.count
        found = Measured(
            row=row.name,
            load=name,
            round=number,
            requests=count,
            errors=hits.errors,
            others=row.others(row.answers() - answers),
            per_second=hits.per_second,
            p50_ms=hits.latency_ms(50),
            p95_ms=hits.latency_ms(95),
            p99_ms=hits.latency_ms(99),
            late_ms=hits.late_ms(99),
            cpu_us={kind: 1e6 * spent[kind] / count for kind in row.kinds},
            log_us=1e6 * spent.get(LOGS, 0.0) / count,
        )
        self.measured.append(found)
        _say(found)
        return found

    def _measure_open(self, row: Row, name: str, number: int) -> None:
        if name == HALF:
            # Half of what a hello can do is more than the generator can send in time.
            whose = self.half_of if row.name == BASELINE and self.half_of else row.name
            self.measure(row, name, Open(max(1, round(self._capacities[whose] / 2))), number)
            return
        capacity = middle(of(self.measured, row.name, CAPACITY), lambda one: one.per_second)
        if capacity * _MAX_OF_CAPACITY >= _LIGHT_RATE:
            self.measure(row, name, Open(_LIGHT_RATE), number)

    def _await_rest(self) -> None:
        give_up = time.monotonic() + self.rest_seconds
        while time.monotonic() < give_up:
            if psutil.cpu_percent(_LOOK_SECONDS) < _AT_REST_PERCENT:
                return

    def _attack(self, row: Row, load: Closed | Open, seconds: float) -> Hits | Summary:
        self.seed += 1
        requests = Random(self.seed).sample(row.requests, len(row.requests))
        if self.wrk and isinstance(load, Closed):
            return self.wrk.attack(row.chain.url, row.headers, requests, load, seconds)
        return self._by_vegeta(row, requests, load, seconds)

    def _by_vegeta(
        self, row: Row, requests: Sequence[Request], load: Closed | Open, seconds: float
    ) -> Hits:
        return self.vegeta.attack(
            row.chain.url, row.headers, requests, load, seconds, http2=row.http2
        )


def in_turn(rows: Sequence[Row], number: int) -> list[Row]:
    """The rows in their order, begun by another one in each round."""
    start = number % len(rows)
    return [*rows[start:], *rows[:start]]


def _say(found: Measured) -> None:
    errors = "".join(f", {count} ERRORS ({kind})" for kind, count in found.errors.items())
    errors += f", {found.others} OTHER ANSWERS" if found.others else ""
    print(
        f"round {found.round + 1}, {found.load}: {found.row}: {found.per_second:,.0f}/s, "
        f"p99 {found.p99_ms:.1f} ms, {found.total_us:.0f} us{errors}",
        file=sys.stderr,
        flush=True,
    )
