"""The clock. The core does not read it: callers tell it the time."""

import time


def utc_now_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000
