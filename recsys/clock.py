"""What time it is, for all that is no core: that is told."""

import time


def utc_now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000
