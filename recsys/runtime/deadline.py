"""The time a request has left. gRPC passes no deadlines on: each call is given one."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

# Kept back at each hop, so that an answer that comes just in time can still be sent.
MARGIN_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point on the monotonic clock."""

    at: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock())

    def timeout(self, budget_seconds: float = math.inf) -> float:
        """Seconds a call may take: its own budget, or what is left less a margin."""
        return max(0.0, min(self.remaining() - MARGIN_SECONDS, budget_seconds))
