"""Tells a standing queue, which means that too much is asked, from a burst that passes by itself.

After a stall of this machine, or when many ask at once, all wait for a while and nobody should be
refused: there is room, and the queue is gone soon. A queue through which nobody gets quickly for a
whole interval, and which does not get shorter, is no burst: it makes all wait and answers none the
sooner. As in CoDel (Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 2012), the shortest
wait of an interval tells the two apart, and only who got through counts: time in which nothing
moved says nothing.
"""

# Who gets through faster did not really wait: a few requests' time on a busy machine.
TARGET_SECONDS = 0.1
# Longer than the stalls seen on small machines with what they leave behind, and half of what an
# answer may take: whoever came last before anybody is refused can still be answered.
INTERVAL_SECONDS = 0.5


class StandingQueue:
    """Of one queue; all times are of one clock."""

    def __init__(self) -> None:
        # Since when everybody has waited for too long, and how many were left waiting then.
        self._slow_since: float | None = None
        self._left_then = 0
        self._standing_until = 0.0

    def passed(self, waited_seconds: float, left: int, now: float) -> None:
        """Some got through: how long the last of them waited, and how many still do."""
        if waited_seconds <= TARGET_SECONDS or left == 0:
            self._slow_since = None
        elif self._slow_since is None:
            self._slow_since, self._left_then = now, left
        elif now - self._slow_since >= INTERVAL_SECONDS:
            if left >= self._left_then:
                self._standing_until = now + INTERVAL_SECONDS
            self._slow_since, self._left_then = now, left

    def refuses(self, first_waited_seconds: float, now: float) -> bool:
        """Tell whether to refuse a newcomer, given how long the first in the queue has waited.

        In a standing queue there is one as soon as the first has not waited long: so it stays short
        for as long as too much is asked, and for an interval after the last who was refused.
        """
        if first_waited_seconds <= TARGET_SECONDS or now >= self._standing_until:
            return False
        self._standing_until = now + INTERVAL_SECONDS
        return True
