"""The cutoff trusts no single clock and waits no longer than it must."""

import time
from contextlib import nullcontext

import pytest

from spark_jobs.nightly import cutoff
from spark_jobs.nightly.cutoff import MARGIN_SECONDS, Cutoff, take_cutoff

NOW_MS = 1_800_000_000_000


@pytest.fixture
def said() -> list[str]:
    return []


def taken(
    patch: pytest.MonkeyPatch, said: list[str], *, here_ms: int = NOW_MS, redis_ms: int = NOW_MS
) -> Cutoff:
    patch.setattr(cutoff, "connect", lambda _: nullcontext())
    patch.setattr(cutoff, "server_time_ms", lambda _: redis_ms)
    patch.setattr(cutoff, "utc_now_ms", lambda: here_ms)
    return take_cutoff("redis://nobody", said.append)


@pytest.mark.parametrize(
    ("here_ms", "redis_ms", "told"),
    [
        (NOW_MS, NOW_MS, ""),
        (NOW_MS, NOW_MS + 1500, ""),
        (NOW_MS + 600_000, NOW_MS, "this machine is 600 s ahead of Redis's"),
        (NOW_MS, NOW_MS + 3_000, "Redis's machine is 3 s ahead of this"),
    ],
)
def test_the_earlier_clock_counts_and_a_difference_is_told(
    monkeypatch: pytest.MonkeyPatch, said: list[str], here_ms: int, redis_ms: int, told: str
) -> None:
    found = taken(monkeypatch, said, here_ms=here_ms, redis_ms=redis_ms)

    assert found.received_ms == NOW_MS
    assert [told in line for line in said] == [True] * bool(told)


def test_reading_begins_when_the_cutoff_is_the_margin_past(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    # Nightly runs of the same process do without it.
    monkeypatch.setattr(cutoff, "MARGIN_SECONDS", MARGIN_SECONDS)
    found = taken(monkeypatch, said)

    assert found.wait(said.append) == NOW_MS

    assert slept == [pytest.approx(MARGIN_SECONDS, abs=1)]
    assert "waiting 20 s" in said[0]


def test_what_passed_since_is_not_waited_for_again(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(cutoff, "MARGIN_SECONDS", 0.0)

    assert taken(monkeypatch, said).wait(said.append) == NOW_MS
    assert said == []
