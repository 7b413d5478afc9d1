"""Records of the load generator, one a request."""

import csv
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The columns of `vegeta encode -to=csv`.
_TIMESTAMP_NS, _CODE, _LATENCY_NS, _SEQUENCE = 0, 1, 2, 8
_OK = 200
# How an error without a status is named.
NO_ANSWER = "no answer"
_NS_PER_SECOND = 1e9
# The headers of answers come in one field, and their bodies.
_FIELD_CHARACTERS = 1 << 20


@dataclass(frozen=True)
class Hits:
    """The n requests of one attack.

    Attributes:
        latency_seconds: (n,) float64, those of a schedule counted from when they were due.
        late_seconds: (n,) float64, the part of it by which the generator itself came late.
        status: (n,) int; 0 where there was no answer.
        seconds: from the first request to the last answer.
    """

    latency_seconds: NDArray[np.float64]
    late_seconds: NDArray[np.float64]
    status: NDArray[np.int64]
    seconds: float

    @property
    def count(self) -> int:
        return len(self.status)

    @property
    def errors(self) -> Counter[str]:
        """Count those without a good answer by status."""
        bad = self.status[self.status != _OK].tolist()
        return Counter(str(status) if status else NO_ANSWER for status in bad)

    @property
    def per_second(self) -> float:
        """Good answers."""
        return (len(self.status) - self.errors.total()) / self.seconds

    def latency_ms(self, percent: float) -> float:
        return _percentile_ms(self.latency_seconds, percent)

    def late_ms(self, percent: float) -> float:
        return _percentile_ms(self.late_seconds, percent)


def read_hits(text: str, rate: int | None) -> Hits:
    """Read the CSV of an attack at `rate` requests a second, or as fast as they were answered.

    vegeta counts latency from the moment a request began. Where it came late to that itself, on a
    busy machine, this counts too: a shopper does not wait for the generator.

    Raises SystemExit when nothing was sent.
    """
    columns = _TIMESTAMP_NS, _CODE, _LATENCY_NS, _SEQUENCE
    # The limit is the whole process's.
    before = csv.field_size_limit(_FIELD_CHARACTERS)
    try:
        rows = [[int(row[column]) for column in columns] for row in csv.reader(text.splitlines())]
    finally:
        csv.field_size_limit(before)
    if not rows:
        raise SystemExit("the load generator sent nothing")
    timestamps, status, latencies, sequence = np.array(rows, np.int64).T
    began = (timestamps - timestamps.min()) / _NS_PER_SECOND
    ended = began + latencies / _NS_PER_SECOND
    due = began if rate is None else _due(began, sequence / rate)
    return Hits(ended - due, began - due, status, seconds=float(ended.max()))


def _due(began: NDArray[np.float64], schedule: NDArray[np.float64]) -> NDArray[np.float64]:
    """When each was due, if the one that was sent most in time was sent in time."""
    return schedule + float((began - schedule).min())


def _percentile_ms(seconds: NDArray[np.float64], percent: float) -> float:
    return float(np.percentile(seconds, percent)) * 1000
