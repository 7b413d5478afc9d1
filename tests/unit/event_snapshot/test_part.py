"""A night that goes on from the last one's snapshot has what a full read has."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.domain import Event
from recsys.core.times import MS_PER_DAY
from recsys.stores.hbase.keys import row_key
from recsys.stores.hbase.table import KeyRange
from spark_jobs.event_snapshot import part as parts
from spark_jobs.event_snapshot.part import MadePart, Since, merge_part, read_part
from spark_jobs.event_snapshot.update import OVERLAP_MS
from tests.unit.event_snapshot.made_up_table import START_MS, MadeUpTable

USERS = ("ann", "bob", "cid", "dora ü")
MINUTE_MS = 60_000
# In the middle of a user's events, where HBase may well split a region.
SPLIT = row_key("ann", START_MS - 5 * int(MS_PER_DAY), "e1")
RANGES = (KeyRange(b"", SPLIT), KeyRange(SPLIT, b""))


def an_event(number: int, user_id: str = "ann", days_ago: int = 0, **details: object) -> Event:
    time_ms = START_MS - days_ago * int(MS_PER_DAY)
    return Event(f"e{number}", user_id, f"i{number % 3}", "view", time_ms, **details)


@dataclass
class Nights:
    """Snapshots of one table, each made of the one before; the first is read in full."""

    folder: Path
    table: MadeUpTable
    read_at_ms: int = 0
    made: list[MadePart] = field(default_factory=list)
    names: count = field(default_factory=count)

    def night(self, before_ms: int | None = None) -> list[tuple]:
        """The rows of a new snapshot."""
        before_ms = self.table.now_ms if before_ms is None else before_ms
        if not self.made:
            self.made = self._full(before_ms)
        else:
            since_ms = self.read_at_ms - OVERLAP_MS
            since = Since(since_ms, self.table.removed_since(since_ms))
            self.made = [
                merge_part(
                    self.table, self._path(), self.folder / m.part.file, m.part, since, before_ms
                )
                for m in self.made
            ]
        self.read_at_ms = before_ms
        return self._rows(self.made)

    def full(self) -> list[tuple]:
        """The rows that a full read would have given instead."""
        return self._rows(self._full(self.read_at_ms))

    def _full(self, before_ms: int) -> list[MadePart]:
        return [read_part(self.table, self._path(), each, before_ms) for each in RANGES]

    def _path(self) -> Path:
        return self.folder / f"{next(self.names)}.parquet"

    def _rows(self, made: list[MadePart]) -> list[tuple]:
        rows = []
        for each in made:
            table = pq.read_table(self.folder / each.part.file)
            assert each.part.rows == len(table)
            rows += [tuple(row.values()) for row in table.to_pylist()]
        return sorted(rows, key=repr)


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    return Nights(tmp_path, MadeUpTable())


users = st.sampled_from(USERS)
events = st.builds(
    an_event,
    number=st.integers(0, 12),
    user_id=users,
    days_ago=st.integers(0, 9),
    quantity=st.none() | st.just(2.0),
)
# Late: received, or begun to be imported, some time before it can be read.
late_ms = st.integers(0, 25).map(lambda minutes: minutes * MINUTE_MS)
passed = st.sampled_from([7 * MINUTE_MS, 2 * OVERLAP_MS])
steps = st.one_of(
    st.tuples(st.just("receive"), events, late_ms),
    st.tuples(st.just("bring"), events, late_ms),
    st.tuples(st.just("merge"), users, users),
    st.tuples(st.just("remove"), users),
    st.tuples(st.just("night")),
)


happenings = st.lists(st.tuples(passed, steps), max_size=15)


@given(happenings, happenings)
@settings(max_examples=60)
def test_whatever_happens_a_night_has_what_a_full_read_has(
    tmp_path_factory: pytest.TempPathFactory, before: list[tuple], after: list[tuple]
) -> None:
    nights = Nights(tmp_path_factory.mktemp("nights"), MadeUpTable())
    night = (7 * MINUTE_MS, ("night",))
    for passed_ms, (name, *arguments) in [*before, night, *after, night]:
        nights.table.now_ms += passed_ms
        if name == "merge" and arguments[0] == arguments[1]:
            continue
        if name != "night":
            getattr(nights.table, name)(*arguments)
            continue
        # What came in the last minutes is after the cutoff.
        rows = nights.night(nights.table.now_ms - 10 * MINUTE_MS)
        assert rows == nights.full()


@pytest.fixture
def second_night(nights: Nights) -> Callable[[], list[tuple]]:
    """Makes a snapshot of what is there, lets a day pass and makes the next one."""
    for number, user_id in enumerate(USERS):
        nights.table.receive(an_event(number, user_id))
    nights.table.now_ms += 2 * OVERLAP_MS
    nights.night()
    nights.table.now_ms += int(MS_PER_DAY)

    def go_on() -> list[tuple]:
        nights.table.now_ms += MINUTE_MS
        return nights.night()

    return go_on


def of(user_id: str, rows: list[tuple]) -> list[tuple]:
    return [row for row in rows if row[0] == user_id]


def test_what_a_removed_user_did_is_not_in_the_next_snapshot(
    nights: Nights, second_night: Callable[[], list[tuple]]
) -> None:
    nights.table.remove("bob")

    rows = second_night()

    assert not of("bob", rows)
    assert of("ann", rows)
    assert rows == nights.full()


def test_a_removal_that_began_before_the_last_night_and_ended_after_it_is_seen(
    nights: Nights,
) -> None:
    nights.table.receive(an_event(1, "bob"))
    # Recorded, and then ingest was held up: the events were still there when the night read.
    nights.table.removals.append(("bob", nights.table.now_ms))
    nights.table.now_ms += 20 * MINUTE_MS
    assert of("bob", nights.night())
    nights.table.rows.clear()

    assert not nights.night()


def test_a_part_in_which_nothing_happened_keeps_its_file(
    nights: Nights, second_night: Callable[[], list[tuple]]
) -> None:
    before = [each.part.file for each in nights.made]
    second_night()

    assert [each.part.file for each in nights.made] == before
    assert [each.rows_read for each in nights.made] == [0, 0]


def test_only_what_changed_is_read(nights: Nights, second_night: Callable[[], list[tuple]]) -> None:
    nights.table.receive(an_event(9, "ann", quantity=3.0, price=2.5, order_id="o"))
    nights.table.bring(an_event(10, "ann", days_ago=9))

    rows = second_night()

    assert sum(each.rows_read for each in nights.made) == 2
    assert len(rows) == len(USERS) + 2
    assert rows == nights.full()


def test_events_of_one_moment_with_equal_hashes_are_told_apart_by_their_users(
    nights: Nights, second_night: Callable[[], list[tuple]]
) -> None:
    nights.table.receive(an_event(0, "bob"))

    assert len(of("ann", second_night())) == 1


def test_more_changes_than_memory_should_hold_are_read_in_full(
    nights: Nights, second_night: Callable[[], list[tuple]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_MAX_CHANGED_ROWS", 5)
    for number in range(20, 40):
        nights.table.receive(an_event(number, "cid"))

    rows = second_night()

    assert sorted(each.is_merged for each in nights.made) == [False, True]
    assert rows == nights.full()
