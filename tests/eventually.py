"""Wait for a condition, never for a time."""

import time
from collections.abc import Callable

_POLL_SECONDS = 0.05


def eventually(condition: Callable[[], object], within_seconds: float = 10.0) -> None:
    """Return as soon as the condition holds; fail, naming it, when it does not in time."""
    give_up = time.monotonic() + within_seconds
    while not condition():
        assert time.monotonic() < give_up, f"not within {within_seconds} s: {condition}"
        time.sleep(_POLL_SECONDS)
