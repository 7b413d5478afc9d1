"""A clock that stands still until a test moves it."""

from dataclasses import dataclass


@dataclass
class Clock:
    """Call it for the time.

    Attributes:
        now: in whatever unit the clock in its place counts.
    """

    now: float = 0.0

    def __call__(self) -> float:
        return self.now
