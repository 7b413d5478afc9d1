"""The moment that parts what a model is made of from what users did since.

A model holds exactly the events received before the cutoff, and serving adds exactly those received
from then on: both go by the time that the ingest service noted, in HBase and in Redis. Reading
begins only when no event received before the cutoff can still be on its way to HBase.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from recsys.clock import utc_now_ms
from recsys.stores.redis.connect import connect, server_time_ms

# A write begins within 10 s of its arrival (`WRITE_SECONDS`) and takes 5 s at most; the clocks of
# ingest services may be 5 s behind.
MARGIN_SECONDS = 20.0
# Closer clocks are no news: NTP keeps them within some hundredths of a second.
_TOLD_DIFFERENCE_MS = 2000


@dataclass(frozen=True, slots=True)
class Cutoff:
    """Events received before `received_ms` are in the model; `readable_at` is of time.monotonic."""

    received_ms: int
    readable_at: float

    def wait(self, say: Callable[[str], None]) -> int:
        """Wait until all that was received before the cutoff can be read; the cutoff."""
        seconds = self.readable_at - time.monotonic()
        if seconds > 0:
            say(f"waiting {seconds:.0f} s for events that are being written")
            time.sleep(seconds)
        return self.received_ms


def take_cutoff(redis_url: str, say: Callable[[str], None]) -> Cutoff:
    """Take the present moment as the cutoff: early in a run, so that its start hides the wait.

    The earlier one of this machine's clock and Redis's counts: a cutoff that lies in the future
    would hide from answers what is received until then.

    Raises:
        Unavailable: when Redis does not answer.
    """
    with connect(redis_url) as redis:
        redis_ms = server_time_ms(redis)
    now_ms = utc_now_ms()
    if abs(now_ms - redis_ms) > _TOLD_DIFFERENCE_MS:
        ahead, behind = ("this", "Redis's") if now_ms > redis_ms else ("Redis's", "this")
        say(
            f"the clock of {ahead} machine is {abs(now_ms - redis_ms) / 1000:,.0f} s ahead of "
            f"{behind} machine's: going by the earlier one; set them by NTP"
        )
    return Cutoff(min(now_ms, redis_ms), time.monotonic() + MARGIN_SECONDS)
