"""Effect of each fault on the requests around it, one row a fault."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.e2e.load_driver import Answered

_HEADINGS = (
    "fault",
    "requests",
    "errors",
    "p50 ms",
    "p99 ms",
    "max ms",
    "recovery s",
    "degraded",
    "sent late, p99 ms",
    "also",
)
# Slower than this, a shopper notices.
SLOW_SECONDS = 0.3
_OK = 200


@dataclass(frozen=True, repr=False)
class LoadResult:
    """Some answers in numbers."""

    answered: Sequence[Answered]

    def __repr__(self) -> str:
        return f"{len(self.answered)} answers, by status {dict(self._by_status())}"

    @property
    def errors(self) -> list[Answered]:
        return [one for one in self.answered if one.status != _OK]

    @property
    def error_share(self) -> float:
        return len(self.errors) / len(self.answered)

    @property
    def degraded_share(self) -> float:
        return sum(map(is_degraded, self.answered)) / len(self.answered)

    def ms(self, share: float) -> float:
        """The latency that this share of all requests, failed ones too, did not exceed."""
        return _quantile_ms([one.seconds for one in self.answered], share)

    def late_ms(self, share: float) -> float:
        """Quantile of the delay in sending them: what the machine was short of."""
        return _quantile_ms([one.late_seconds for one in self.answered], share)

    def since(self, begin: float, end: float = math.inf) -> "LoadResult":
        """Of the requests that were due from `begin` on, before `end`."""
        return LoadResult([one for one in self.answered if begin <= one.due < end])

    def last(self, bad: Callable[[Answered], bool], since: float) -> float:
        """Seconds from `since` to when the last bad answer was due; 0 when there is none then."""
        return max((one.due - since for one in self.since(since).answered if bad(one)), default=0.0)

    def said_of_errors(self) -> str:
        """Count responses by status, 0 being none at all."""
        statuses = self._by_status()
        del statuses[_OK]
        return ", ".join(f"{count} of {status}" for status, count in statuses.items()) or "0"

    def _by_status(self) -> Counter[int]:
        return Counter(one.status for one in self.answered)


@dataclass
class Table:
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(
        self, fault: str, outcome: LoadResult, recovery_seconds: float | None = None, also: str = ""
    ) -> None:
        self.rows.append(
            (
                fault,
                f"{len(outcome.answered):,}",
                outcome.said_of_errors(),
                *(f"{outcome.ms(share):.1f}" for share in (0.5, 0.99, 1.0)),
                "" if recovery_seconds is None else f"{recovery_seconds:.1f}",
                f"{outcome.degraded_share:.1%}",
                f"{outcome.late_ms(0.99):.1f}",
                also,
            )
        )

    def lines(self) -> list[str]:
        """As Markdown."""
        rule = tuple("---" for _ in _HEADINGS)
        return [f"| {' | '.join(row)} |" for row in (_HEADINGS, rule, *self.rows)]


def _quantile_ms(seconds: Sequence[float], share: float) -> float:
    return 1000 * sorted(seconds)[max(0, math.ceil(share * len(seconds)) - 1)]


def is_degraded(one: Answered) -> bool:
    return b'"degraded":true' in one.response.body


def is_bad(one: Answered) -> bool:
    """Something a shopper or a shop would complain of."""
    return one.status != _OK or is_degraded(one) or one.seconds > SLOW_SECONDS
