"""The pool against a Thrift server that misbehaves on purpose."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest

from recsys.core.errors import ConfigurationError, Unavailable
from recsys.stores.hbase import time_range_scan
from recsys.stores.hbase.pool import HBasePool, PoolSettings
from recsys.stores.hbase.time_range_scan import TimeRangeScan
from tests.integration.fake_hbase import FakeHBase, HBaseError

QUICK = PoolSettings(
    size=2, connect_timeout_seconds=0.5, call_timeout_seconds=0.5, wait_timeout_seconds=0.2
)


@pytest.fixture
def pool(fake_hbase: FakeHBase) -> Iterator[HBasePool]:
    pool = HBasePool(fake_hbase.address, QUICK)
    yield pool
    pool.close()


def test_calls_one_after_the_other_share_a_connection(
    fake_hbase: FakeHBase, pool: HBasePool
) -> None:
    for _ in range(3):
        pool.ping()

    assert (fake_hbase.calls, fake_hbase.accepted) == (3, 1)


def test_a_connection_closed_while_idle_goes_unnoticed(
    fake_hbase: FakeHBase, pool: HBasePool
) -> None:
    pool.ping()
    fake_hbase.close_connections()

    pool.ping()

    assert fake_hbase.accepted == 2


def test_after_a_restart_one_attempt_finds_all_idle_connections_stale(
    fake_hbase: FakeHBase, pool: HBasePool
) -> None:
    meeting = threading.Barrier(2)

    def meet() -> list[bytes]:
        meeting.wait(timeout=5)
        return []

    fake_hbase.answer = meet
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: pool.ping(), range(2)))
    fake_hbase.close_connections()
    fake_hbase.answer = list

    pool.ping()
    pool.ping()

    assert fake_hbase.accepted == 3


def test_a_call_on_several_connections_has_those_that_nobody_else_has(
    fake_hbase: FakeHBase,
) -> None:
    pool = HBasePool(fake_hbase.address, PoolSettings(size=2, extra=3))

    def meanwhile(connections: Sequence[object]) -> tuple[int, int]:
        return len(connections), pool.call_on_several(len, most=9)

    assert pool.call_on_several(meanwhile, most=3) == (3, 2)
    assert pool.call_on_several(meanwhile, most=9) == (4, 1)
    assert pool.call_on_several(len, most=9) == 4
    pool.close()


def test_what_breaks_one_of_several_connections_is_repeated_on_others(
    fake_hbase: FakeHBase,
) -> None:
    pool = HBasePool(fake_hbase.address, PoolSettings(size=1, extra=2))
    attempts = []

    def ask_all(connections: Sequence[Any]) -> int:
        attempts.append(connections)
        return sum(len(connection.client.getTableNames()) for connection in connections)

    fake_hbase.answer = lambda: [b"one"]
    assert pool.call_on_several(ask_all, most=3) == 3
    fake_hbase.close_connections()

    assert pool.call_on_several(ask_all, most=3) == 3
    assert fake_hbase.accepted == 6
    assert len(attempts) == 3
    pool.close()


def test_a_connection_idle_for_long_is_not_used_again(fake_hbase: FakeHBase) -> None:
    pool = HBasePool(fake_hbase.address, PoolSettings(max_idle_seconds=0.05))
    pool.ping()
    time.sleep(0.1)

    pool.ping()

    assert fake_hbase.accepted == 2
    pool.close()


def test_a_connection_that_timed_out_is_not_used_again(
    fake_hbase: FakeHBase, pool: HBasePool
) -> None:
    release = threading.Event()

    def hang() -> list[bytes]:
        release.wait(timeout=5)
        return [b"late"]

    fake_hbase.answer = hang
    started = time.monotonic()
    with pytest.raises(Unavailable, match="did not respond in time"):
        pool.ping()
    waited = time.monotonic() - started
    fake_hbase.answer = lambda: [b"prompt"]
    release.set()

    assert pool.call(lambda client: client.getTableNames()) == [b"prompt"]
    # Only once: repeating a call that was too slow would double the wait.
    assert 0.4 < waited < 0.9


def test_a_connection_is_thrown_away_after_any_exception(
    fake_hbase: FakeHBase, pool: HBasePool
) -> None:
    def stumble(client: Any) -> NoReturn:
        client.getTableNames()
        raise KeyError("ours")

    with pytest.raises(KeyError):
        pool.call(stumble)
    pool.ping()

    assert fake_hbase.accepted == 2


def test_no_more_connections_than_allowed_and_waiting_ends(
    fake_hbase: FakeHBase, pool: HBasePool
) -> None:
    release = threading.Event()

    def busy(_: Any) -> None:
        release.wait(timeout=5)

    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(pool.call, busy) for _ in range(2)]
        with pytest.raises(Unavailable, match="all 2 connections are busy"):
            pool.ping()
        release.set()
        for call in calls:
            call.result()
    pool.ping()

    assert fake_hbase.accepted == 2


def test_no_two_threads_have_the_same_connection(fake_hbase: FakeHBase) -> None:
    pool = HBasePool(fake_hbase.address, PoolSettings(size=4))
    in_use: set[int] = set()
    shared = []

    def work(client: Any) -> None:
        if id(client) in in_use:
            shared.append(client)
        in_use.add(id(client))
        client.getTableNames()
        in_use.discard(id(client))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: pool.call(work), range(400)))

    assert not shared
    assert fake_hbase.accepted <= 4
    pool.close()


def test_a_server_that_is_down_is_unavailable(fake_hbase: FakeHBase, pool: HBasePool) -> None:
    pool.ping()
    fake_hbase.stop()

    with pytest.raises(Unavailable, match="hbase is unavailable"):
        pool.ping()


def test_a_missing_table_says_how_to_create_it(fake_hbase: FakeHBase, pool: HBasePool) -> None:
    def missing() -> NoReturn:
        message = b"org.apache.hadoop.hbase.TableNotFoundException: demo:items\n\tat a.b.C"
        raise HBaseError(message=message)

    fake_hbase.answer = missing

    with pytest.raises(ConfigurationError, match="recsys tables create --tenant demo"):
        pool.ping()


def test_an_error_of_the_server_is_said_in_one_line(fake_hbase: FakeHBase, pool: HBasePool) -> None:
    def fail() -> NoReturn:
        raise HBaseError(message=b"RegionTooBusyException: wait\n\tat a.b.C")

    fake_hbase.answer = fail

    with pytest.raises(Unavailable) as caught:
        pool.ping()
    assert str(caught.value) == "hbase is unavailable: RegionTooBusyException: wait"


def test_an_error_that_a_servers_first_line_announces_is_said_too(
    fake_hbase: FakeHBase, pool: HBasePool
) -> None:
    def fail() -> NoReturn:
        raise HBaseError(message=b"Failed after attempts=16, exceptions:\n\nnow, refused\n\tat a.C")

    fake_hbase.answer = fail

    with pytest.raises(Unavailable) as caught:
        pool.ping()
    assert str(caught.value) == (
        "hbase is unavailable: Failed after attempts=16, exceptions: now, refused"
    )


@pytest.mark.parametrize("address", ["", "host", "host:", ":9090", "host:0", "host:70000", "h:x"])
def test_an_address_that_makes_no_sense_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="expected HOST:PORT"):
        HBasePool(address)


def test_a_server_of_time_ranges_that_hangs_is_soon_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time_range_scan, "_CELL_TIMEOUT_MS", 100)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        scan = TimeRangeScan(f"127.0.0.1:{silent.getsockname()[1]}", b"shop:interactions")
        started = time.monotonic()

        message = r"its thrift2 server at 127.0.0.1:\d+ did not respond within 0.1 s$"
        with pytest.raises(Unavailable, match=message):
            scan.get(b"row", b"e:m")

    assert time.monotonic() - started < 30
