"""Claims of event ids on several connections at once, of a Thrift server that misbehaves."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest
from thriftpy2.thrift import TApplicationException, TProcessor

from recsys.core.domain import Event, ReceivedEvent
from recsys.core.errors import Unavailable
from recsys.stores.hbase.event_ids import Claim, EventIds
from recsys.stores.hbase.pipelined_puts import MAX_CONNECTIONS
from recsys.stores.hbase.pool import HBasePool, PoolSettings
from recsys.stores.hbase.table import Table
from tests.integration.fake_hbase import FakeHBase, HBaseError, HBaseIllegalArgument

COUNT = 60
LATER_SECONDS = 5.0


@pytest.fixture
def pool(fake_hbase: FakeHBase) -> Iterator[HBasePool]:
    pool = HBasePool(fake_hbase.address, PoolSettings(call_timeout_seconds=LATER_SECONDS))
    yield pool
    pool.close()


@pytest.fixture
def table(pool: HBasePool) -> Table:
    return Table(pool, b"demo:event_ids")


def cells(count: int = COUNT, value: bytes = b"ours") -> Mapping[bytes, bytes]:
    return {f"row {number}".encode(): value for number in range(count)}


def claims(claimant: str, count: int = COUNT) -> list[Claim]:
    events = [Event(f"id {number}", "u1", "i1", "view", number) for number in range(count)]
    return [Claim(ReceivedEvent(event, 1), claimant) for event in events]


def at_the(number: int) -> Callable[[Callable[[], object]], Callable[[bytes], None]]:
    """Make a hook act once, at the put of that number."""
    counted, lock = [0], threading.Lock()

    def only_then(hook: Callable[[], object]) -> Callable[[bytes], None]:
        def on_put(_: bytes) -> None:
            with lock:
                counted[0] += 1
                is_then = counted[0] == number
            if is_then:
                hook()

        return on_put

    return only_then


def test_each_cell_is_written_by_itself(fake_hbase: FakeHBase, table: Table) -> None:
    taken = {b"row 3": b"theirs", b"row 59": b"theirs"}
    fake_hbase.cells |= taken

    assert table.put_missing(cells(), b"e:j") == cells().keys() - taken.keys()

    assert fake_hbase.cells == {**cells(), **taken}
    assert fake_hbase.accepted == MAX_CONNECTIONS


def test_no_more_connections_are_opened_than_there_are_cells(
    fake_hbase: FakeHBase, table: Table
) -> None:
    assert table.put_missing({}, b"e:j") == set()
    assert fake_hbase.accepted == 0
    table.put_missing(cells(2), b"e:j")
    assert fake_hbase.accepted == 2


def test_a_put_is_sent_before_the_one_ahead_of_it_is_answered(fake_hbase: FakeHBase) -> None:
    pool = HBasePool(fake_hbase.address, PoolSettings(extra=0))
    more = []
    fake_hbase.on_put = at_the(1)(lambda: more.append(fake_hbase.more_came(LATER_SECONDS)))

    # Too long to have been read together with the first.
    Table(pool, b"t").put_missing(cells(2, b"x" * 20_000), b"e:j")

    assert more == [True]
    assert fake_hbase.accepted == 1
    pool.close()


def test_puts_of_several_connections_are_under_way_at_once(
    fake_hbase: FakeHBase, table: Table
) -> None:
    meeting = threading.Barrier(MAX_CONNECTIONS)
    fake_hbase.on_put = lambda _: meeting.wait(LATER_SECONDS)

    written = table.put_missing(cells(2 * MAX_CONNECTIONS), b"e:j")

    assert len(written) == 2 * MAX_CONNECTIONS


@pytest.mark.parametrize("number", [1, 20, COUNT])
def test_claims_that_a_broken_connection_left_unknown_are_found_to_be_ours(
    fake_hbase: FakeHBase, table: Table, number: int
) -> None:
    fake_hbase.on_put = at_the(number)(fake_hbase.close_connections)
    ours = claims("ours")

    assert EventIds(table).claim(ours) == ours

    assert sorted(fake_hbase.cells.values()) == sorted(claim.encode() for claim in ours)


def test_claims_on_connections_that_break_again_are_unavailable(
    fake_hbase: FakeHBase, table: Table
) -> None:
    fake_hbase.on_put = lambda _: fake_hbase.close_connections()

    with pytest.raises(Unavailable):
        EventIds(table).claim(claims("ours"))


@pytest.mark.parametrize(
    "failure",
    [
        HBaseError(message=b"RegionTooBusyException: wait\n\tat a.b.C"),
        HBaseIllegalArgument(message=b"RegionTooBusyException: wait"),
        TApplicationException(TApplicationException.INTERNAL_ERROR, "RegionTooBusyException: wait"),
    ],
)
def test_one_put_that_fails_fails_them_all_and_leaves_no_connection_out_of_step(
    fake_hbase: FakeHBase, table: Table, failure: Exception
) -> None:
    def fail() -> NoReturn:
        raise failure

    fake_hbase.on_put = at_the(20)(fail)
    ids, ours = EventIds(table), claims("ours")

    with pytest.raises(Unavailable, match=r"RegionTooBusyException: wait$"):
        ids.claim(ours)

    # Some are written, with whatever answers that nobody has read.
    assert ids.claim(ours) == ours
    assert table.put_missing(cells(), b"e:j") == cells().keys()
    assert table.put_missing(cells(), b"e:j") == set()


def test_a_failure_that_passes_is_waited_for(fake_hbase: FakeHBase, table: Table) -> None:
    def fail() -> NoReturn:
        raise HBaseError(message=b"RegionTooBusyException: wait")

    fake_hbase.on_put = at_the(20)(fail)
    ours = claims("ours")

    assert EventIds(table, patience_seconds=5.0).claim(ours) == ours


def test_an_answer_to_another_put_is_not_believed(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = TProcessor.send_result

    def send_late(self: TProcessor, protocol: Any, method: str, result: Any, number: int) -> None:
        send(self, protocol, method, result, number + 1)

    monkeypatch.setattr(TProcessor, "send_result", send_late)

    with pytest.raises(Unavailable, match="out of order"):
        table.put_missing(cells(), b"e:j")


def test_all_puts_together_have_the_time_of_one_call(fake_hbase: FakeHBase) -> None:
    pool = HBasePool(fake_hbase.address, PoolSettings(call_timeout_seconds=0.5))
    # Each in time after the one before, on connections that are read one after the other.
    pauses = {row: 0.35 * number for number, row in enumerate(cells(6))}
    fake_hbase.on_put = lambda row: time.sleep(pauses[row])
    began = time.monotonic()

    with pytest.raises(Unavailable, match="did not respond in time"):
        Table(pool, b"t").put_missing(cells(6), b"e:j")

    assert time.monotonic() - began < 1.0
    pool.close()


def test_a_call_after_slow_puts_has_all_of_its_time(fake_hbase: FakeHBase) -> None:
    pool = HBasePool(fake_hbase.address, PoolSettings(call_timeout_seconds=1.0))
    fake_hbase.on_put = lambda _: time.sleep(0.7)
    Table(pool, b"t").put_missing(cells(1), b"e:j")
    fake_hbase.answer = lambda: time.sleep(0.6) or []

    pool.ping()
    pool.close()


@pytest.mark.parametrize("breaks_at", [None, 100])
def test_of_many_claimants_of_the_same_ids_exactly_one_is_the_first(
    fake_hbase: FakeHBase, pool: HBasePool, breaks_at: int | None
) -> None:
    replica = HBasePool(fake_hbase.address)
    names = [f"claimant {number}" for number in range(8)]
    begin = threading.Barrier(len(names))
    if breaks_at:
        fake_hbase.on_put = at_the(breaks_at)(fake_hbase.close_connections)

    def claim(number: int) -> list[Claim]:
        # Half of them come from the other end.
        ours = claims(names[number])[:: -1 if number % 4 > 1 else 1]
        ids = EventIds(Table((pool, replica)[number % 2], b"demo:event_ids"))
        begin.wait(LATER_SECONDS)
        held = ids.claim(ours)
        assert [each.event_id for each in held] == [each.event_id for each in ours]
        return held

    with ThreadPoolExecutor(len(names)) as threads:
        answers = list(threads.map(claim, range(len(names))))

    stored = {Claim.decode(cell) for cell in fake_hbase.cells.values()}
    assert len(stored) == COUNT
    # All are told of the same first, who is one of them and knows it.
    assert all(set(answer) == stored for answer in answers)
    replica.close()
