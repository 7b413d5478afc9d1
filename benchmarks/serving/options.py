"""One option on and off: chains that differ in nothing else, measured in turns."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.serving.figures import Figure, Measured, cpu, middle, of, p50, p99, ratio
from benchmarks.serving.generator import Closed, Open
from benchmarks.serving.rounds import Rounds, in_turn
from benchmarks.serving.rows import Row
from benchmarks.serving.tables import faults

FULL, STEADY = "closed loop, 64 connections", "steady"
_CONNECTIONS = 64


@dataclass(frozen=True)
class Option:
    """Ways of doing the same, the one before first.

    Attributes:
        steady: the rate at which latency and CPU are compared, the same for all ways: half of what
            the slowest way can do.
    """

    title: str
    measured: Sequence[Measured]
    steady: int

    def table(self) -> str:
        ways = list(dict.fromkeys(one.row for one in self.measured))
        head = [
            "",
            "requests/s, 64 connections",
            "p50 ms",
            "p99 ms",
            "CPU us a request",
            "of all CPU",
        ]
        head += ["errors", "degraded"]
        lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        lines += [self._line(way, ways[0]) for way in ways]
        title = f"**{self.title}** (from the second column on at {self.steady:,} requests/s)"
        return "\n".join([title, "", *lines])

    def _line(self, way: str, first: str) -> str:
        cells = [way, self._cell(way, first, FULL, _per_second, "{:,.0f}")]
        for figure, form in ((p50, "{:.2f}"), (p99, "{:.2f}"), (cpu, "{:.0f}"), (busy, "{:.0%}")):
            cells.append(self._cell(way, first, STEADY, figure, form))
        cells += faults([one for one in self.measured if one.row == way])
        return f"| {' | '.join(cells)} |"

    def _cell(self, way: str, first: str, load: str, figure: Figure, form: str) -> str:
        text = form.format(middle(of(self.measured, way, load), figure))
        change = ratio(self.measured, way, first, load, figure)
        return text if way == first or change is None else f"{text} ({change - 1:+.0%})"


def compare(title: str, rounds: Rounds, ways: Sequence[Row], count: int) -> Option:
    """All ways at once, first as fast as they can, then all at the same steady rate."""
    start = len(rounds.measured)
    rate = 0
    for number in range(count):
        turns = in_turn(ways, number)
        full = [rounds.measure(way, FULL, Closed(_CONNECTIONS), number) for way in turns]
        rate = rate or max(1, round(min(one.per_second for one in full) / 2))
        for way in turns:
            rounds.measure(way, STEADY, Open(rate), number)
    return Option(title, rounds.measured[start:], rate)


def busy(measured: Measured) -> float:
    """The share of the machine's CPU that the chain takes, for good answers and for errors."""
    asked = (
        measured.per_second
        * measured.requests
        / (measured.requests - sum(measured.errors.values()))
    )
    return measured.total_us * asked / 1e6 / len(os.sched_getaffinity(0))


def _per_second(measured: Measured) -> float:
    return measured.per_second
