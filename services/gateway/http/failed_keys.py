"""Slowing down those who send wrong keys, by where they come from.

A key that is right is always answered: behind one address there may be many callers, of whom one is
misconfigured. Guessing is hopeless whatever its pace, for a key is 256 random bits; this spares the
gateway and its log the noise, and tells a program gone wrong when to come again.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from starlette.requests import HTTPConnection

from recsys.config.settings import Network
from services.gateway.http.client_source import ClientSource

# A person who mistypes a key never meets this; a program in a loop does within a second.
FAILURES_AT_ONCE = 10
SECONDS_PER_FAILURE = 6.0
# Some 2 MB at most, however many addresses take part.
MAX_SOURCES = 10_000


class FailedKeys:
    """A bucket of allowed failures for each source, refilled as time goes by.

    Args:
        trusted: see `ClientSource`.
    """

    def __init__(
        self, trusted: Collection[Network], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = ClientSource(trusted)
        self._clock = clock
        # When a source's bucket is full again; those that failed last come last.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def note(self, request: HTTPConnection) -> int | None:
        """Count a failure; the seconds to wait if its source has failed too often lately."""
        source, now = self._source.of(request), self._clock()
        full_at = max(self._full_at.pop(source, now), now)
        refused = full_at - now > (FAILURES_AT_ONCE - 1) * SECONDS_PER_FAILURE
        # What is refused costs nothing more: waiting as told is enough, also for the impatient.
        self._full_at[source] = full_at if refused else full_at + SECONDS_PER_FAILURE
        if len(self._full_at) > MAX_SOURCES:
            self._full_at.popitem(last=False)
        if not refused:
            return None
        return math.ceil(full_at - now - (FAILURES_AT_ONCE - 1) * SECONDS_PER_FAILURE)
