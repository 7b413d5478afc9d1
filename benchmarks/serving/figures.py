"""From measurements to medians, ratios within a round, and whether targets are reached."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median

BASELINE = "hello"


@dataclass(frozen=True)
class Measured:
    """One row under one load in one round.

    Attributes:
        errors: requests without a good answer, counted by status.
        others: good answers of another kind than the row is about, less personal ones above all.
        late_ms: by how much the generator itself came late, the 99th percentile.
        cpu_us: CPU microseconds a request of each kind of process that has a part in the answer.
        log_us: the same of the process that writes the services' log lines to files.
    """

    row: str
    load: str
    round: int
    requests: int
    errors: Mapping[str, int]
    others: int
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    late_ms: float
    cpu_us: Mapping[str, float]
    log_us: float

    @property
    def total_us(self) -> float:
        return sum(self.cpu_us.values())

    def as_json(self) -> dict[str, object]:
        return asdict(self) | {"total_us": self.total_us}


Figure = Callable[[Measured], float]


def cpu(measured: Measured) -> float:
    return measured.total_us


def p50(measured: Measured) -> float:
    return measured.p50_ms


def p95(measured: Measured) -> float:
    return measured.p95_ms


def p99(measured: Measured) -> float:
    return measured.p99_ms


def late(measured: Measured) -> float:
    return measured.late_ms


def of(measured: Sequence[Measured], row: str, load: str) -> list[Measured]:
    """Those of a row under a load, one a round."""
    return [one for one in measured if (one.row, one.load) == (row, load)]


def middle(measured: Sequence[Measured], figure: Figure) -> float:
    return median(figure(one) for one in measured)


def ratio(
    measured: Sequence[Measured], row: str, other: str, load: str, figure: Figure
) -> float | None:
    """Ratio of a row's figure to another row's within a round; the median of rounds.

    Machines drift: what was measured half a minute apart compares, what was an hour apart does not.
    None where no round has both, or in none of them the other one's is more than zero.
    """
    others = {one.round: figure(one) for one in of(measured, other, load)}
    both = [one for one in of(measured, row, load) if others.get(one.round)]
    return median(figure(one) / others[one.round] for one in both) if both else None


@dataclass(frozen=True)
class Target:
    """A row's figure under a load, as a multiple of another row's; `reached` is one of them."""

    text: str
    row: str
    other: str
    load: str
    figure: Figure
    limit: float
    at_least: bool = False

    def found(self, measured: Sequence[Measured]) -> float | None:
        return ratio(measured, self.row, self.other, self.load, self.figure)

    def holds(self, found: float) -> bool:
        return found >= self.limit if self.at_least else found <= self.limit
