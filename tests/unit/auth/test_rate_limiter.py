"""A caller has a steady rate and a burst, and is told when to come again."""

from recsys.auth.rate_limiter import BURST_SECONDS, MAX_BUCKETS, RateLimiter
from tests.clock import Clock


def test_a_burst_passes_and_then_the_steady_rate() -> None:
    clock = Clock(100.0)
    limiter = RateLimiter(clock)
    burst = int(10 * BURST_SECONDS)
    assert all(limiter.take("key", 10) is None for _ in range(burst))
    refused = limiter.take("key", 10)
    assert refused
    assert (refused.quota, refused.window_seconds) == (burst, int(BURST_SECONDS))
    passed = 0
    for _ in range(1000):
        clock.now += 0.01
        passed += limiter.take("key", 10) is None
    assert 99 <= passed <= 101


def test_who_waits_as_told_passes_also_after_many_refusals() -> None:
    clock = Clock(100.0)
    limiter = RateLimiter(clock)
    while (refused := limiter.take("key", 0.2)) is None:
        pass
    for _ in range(100):
        limiter.take("key", 0.2)
    clock.now += refused.retry_after_seconds
    assert limiter.take("key", 0.2) is None


def test_one_caller_takes_nothing_from_another() -> None:
    limiter = RateLimiter(Clock(100.0))
    while limiter.take("busy", 1) is None:
        pass
    assert limiter.take("other", 1) is None


def test_however_many_callers_the_memory_is_bounded() -> None:
    limiter = RateLimiter(Clock(100.0))
    for number in range(MAX_BUCKETS + 10):
        limiter.take(str(number), 1)
    assert len(limiter._full_at) == MAX_BUCKETS
