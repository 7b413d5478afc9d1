"""Rate limits: a bucket of requests for each caller, refilled as time goes by.

The generic cell rate algorithm: of each bucket only the moment is kept at which it will be full
again. It gives a caller's steady rate and a burst, and costs a microsecond.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

# A page asks for several lists at once and then for none: so much of a second's worth at once.
BURST_SECONDS = 2.0
# Some 20 MB at most, however many addresses take part; who was seen longest ago has a full bucket.
MAX_BUCKETS = 100_000


@dataclass(frozen=True, slots=True)
class RateExceeded:
    """A refusal.

    Attributes:
        quota, window_seconds: requests that a full bucket allows, and how long it takes to fill.
        retry_after_seconds: when the next request will be let through.
    """

    quota: int
    window_seconds: int
    retry_after_seconds: int


class RateLimiter:
    """The buckets of one process.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, bucket: str, per_second: float) -> RateExceeded | None:
        """Take one request out of a bucket; a refusal when it is empty, which costs nothing."""
        now = self._clock()
        full_at = max(self._full_at.pop(bucket, now), now) + 1 / per_second
        # At least one request fits, however low the rate.
        fill_seconds = max(BURST_SECONDS, 1 / per_second)
        late = full_at - now - fill_seconds
        # Fractions of what two floating point numbers differ by let nobody wait.
        refused = late > 1e-9
        self._full_at[bucket] = full_at - 1 / per_second if refused else full_at
        if len(self._full_at) > MAX_BUCKETS:
            self._full_at.popitem(last=False)
        if not refused:
            return None
        quota = max(1, int(fill_seconds * per_second))
        return RateExceeded(quota, ceil(fill_seconds), max(1, ceil(late)))
