"""Clients that are slowed down for wrong keys, and for how long."""

from ipaddress import ip_network

import pytest
from starlette.requests import HTTPConnection

from services.gateway.http.rate_limits import (
    FAILURES_AT_ONCE,
    MAX_SOURCES,
    SECONDS_PER_FAILURE,
    FailedKeys,
)
from tests.clock import Clock

PROXY = "10.0.0.1"


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def failed(clock: Clock) -> FailedKeys:
    return FailedKeys(trusted=(ip_network("10.0.0.0/24"),), clock=clock)


def request(peer: str | None, *told: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", each.encode()) for each in told]
    client = (peer, 40_000) if peer else None
    return HTTPConnection({"type": "http", "headers": headers, "client": client})


def fail(failed: FailedKeys, request: HTTPConnection, times: int) -> list[int | None]:
    return [failed.note(request) for _ in range(times)]


def test_the_first_failures_are_free_and_the_next_must_wait(failed: FailedKeys) -> None:
    waits = fail(failed, request("192.0.2.1"), FAILURES_AT_ONCE + 5)
    assert waits == [None] * FAILURES_AT_ONCE + [SECONDS_PER_FAILURE] * 5


def test_who_waits_as_told_may_fail_again(failed: FailedKeys, clock: Clock) -> None:
    *_, wait = fail(failed, request("192.0.2.1"), FAILURES_AT_ONCE + 1)
    assert wait is not None
    clock.now += wait
    assert fail(failed, request("192.0.2.1"), 2) == [None, SECONDS_PER_FAILURE]


def test_a_minute_later_all_is_forgotten(failed: FailedKeys, clock: Clock) -> None:
    fail(failed, request("192.0.2.1"), 100)
    clock.now += FAILURES_AT_ONCE * SECONDS_PER_FAILURE
    assert fail(failed, request("192.0.2.1"), FAILURES_AT_ONCE) == [None] * FAILURES_AT_ONCE


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (request("192.0.2.1"), request("192.0.2.1"), True),
        (request("192.0.2.1"), request("192.0.2.2"), False),
        # Behind a balancer of ours the client is whom the balancer talked to.
        (request(PROXY, "192.0.2.1"), request(PROXY, "192.0.2.2"), False),
        (request(PROXY, "192.0.2.1"), request("10.0.0.2", "192.0.2.1"), True),
        (request(PROXY, "192.0.2.1"), request(PROXY, "203.0.113.9, 192.0.2.1"), True),
        (request(PROXY, "192.0.2.1"), request(PROXY, "203.0.113.9", "192.0.2.1"), True),
        # Anybody else may make the header up.
        (request("192.0.2.1", "203.0.113.1"), request("192.0.2.1", "203.0.113.2"), True),
        (request(PROXY, "rubbish"), request(PROXY), True),
        (request("2001:db8::1"), request("2001:db8::ffff"), True),
        (request("2001:db8::1"), request("2001:db8:0:1::1"), False),
        (request("::ffff:192.0.2.1"), request("::ffff:192.0.2.2"), False),
        (request("::ffff:10.0.0.1", "192.0.2.1"), request("192.0.2.1"), True),
        (request(None), request(None), True),
    ],
)
def test_failures_count_for_where_they_come_from(
    failed: FailedKeys, one: HTTPConnection, other: HTTPConnection, same: bool
) -> None:
    fail(failed, one, FAILURES_AT_ONCE)
    assert (failed.note(other) is not None) is same


def test_many_sources_do_not_fill_the_memory(failed: FailedKeys) -> None:
    busy = request("192.0.2.1")
    for n in range(2 * MAX_SOURCES):
        failed.note(request(f"172.16.{n >> 8}.{n & 255}"))
        if n % 1000 == 0:
            failed.note(busy)
    assert len(failed._full_at) == MAX_SOURCES
    # Who fails all the time is not forgotten for those who come once.
    assert failed.note(busy) is not None
