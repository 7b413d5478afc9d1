"""A queue that is asked and worked off by a clock of its own: stalls pass, too much is refused."""

from collections import deque
from dataclasses import dataclass, field

import pytest

from services.gateway.upstream.standing_queue import INTERVAL_SECONDS, TARGET_SECONDS, StandingQueue

_BATCH, _MAX_PENDING = 64, 1000
# What an answer may take.
_READ_SECONDS = 1.0
_TICK_SECONDS = 0.001


@dataclass
class Queue:
    """A line before servers that take batches, and say no as the gateway does.

    Attributes:
        per_second: how many can be answered.
        refused_at, waits: of everybody so far.
    """

    per_second: float
    now: float = 1000.0
    state: StandingQueue = field(default_factory=StandingQueue)
    waiting: deque[float] = field(default_factory=deque)
    refused_at: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    _free_at: float = 0.0
    _due: float = 0.0

    def run(self, seconds: float, arriving_per_second: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += _TICK_SECONDS
            self._due += arriving_per_second * _TICK_SECONDS
            self._arrive()
            if self.waiting and self.now >= self._free_at:
                self._take()

    def stall(self, seconds: float, arriving_per_second: float) -> None:
        """Nothing moves; who comes meanwhile is there when it is over."""
        self.now += seconds
        self._due += arriving_per_second * seconds
        self._arrive()

    def _arrive(self) -> None:
        while self._due >= 1:
            self._due -= 1
            is_standing = len(self.waiting) >= _BATCH and self.state.refuses(
                self.now - self.waiting[0], self.now
            )
            if len(self.waiting) >= _MAX_PENDING or is_standing:
                self.refused_at.append(self.now)
            else:
                self.waiting.append(self.now)

    def _take(self) -> None:
        batch = [self.waiting.popleft() for _ in range(min(_BATCH, len(self.waiting)))]
        self.waits += [self.now - came for came in batch]
        self.state.passed(self.now - batch[-1], len(self.waiting), self.now)
        self._free_at = self.now + len(batch) / self.per_second


@pytest.mark.parametrize("stall_seconds", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("load", [0.1, 0.5, 0.8])
def test_one_stall_refuses_nobody_below_capacity(stall_seconds: float, load: float) -> None:
    queue = Queue(per_second=2000)
    queue.run(1.0, load * 2000)
    queue.waiting.extend([queue.now] * 100)
    queue.stall(stall_seconds, load * 2000)
    queue.run(5.0, load * 2000)
    assert queue.refused_at == []
    assert queue.waits[-1] < TARGET_SECONDS


def test_a_burst_refuses_nobody() -> None:
    queue = Queue(per_second=2000)
    for _ in range(10):
        queue.stall(0.0, 0.0)
        queue.waiting.extend([queue.now] * 900)
        queue.run(1.0, 500)
    assert queue.refused_at == []


@pytest.mark.parametrize("load", [1.5, 5.0])
def test_too_much_is_refused_after_an_interval_and_as_long_as_it_lasts(load: float) -> None:
    queue = Queue(per_second=2000)
    queue.run(1.0, 1000)
    begun = queue.now
    queue.run(10.0, load * 2000)
    # It takes a moment until there is a queue at all.
    assert queue.refused_at[0] - begun < 2 * INTERVAL_SECONDS
    for second in range(2, 10):
        refused = [at for at in queue.refused_at if second <= at - begun < second + 1]
        assert len(refused) == pytest.approx((load - 1) * 2000, rel=0.3)
    # Who is taken is answered in time, and as many are as can be.
    assert max(queue.waits) < 0.6 * _READ_SECONDS
    assert len(queue.waits) > 0.95 * 10 * 2000


def test_soon_after_too_much_was_asked_stalls_refuse_nobody_again() -> None:
    queue = Queue(per_second=2000)
    queue.run(3.0, 10_000)
    over = queue.now
    queue.run(2.0, 1000)
    assert max(queue.refused_at) - over < INTERVAL_SECONDS
    queue.stall(0.3, 1000)
    queue.run(2.0, 1000)
    assert max(queue.refused_at) - over < INTERVAL_SECONDS
