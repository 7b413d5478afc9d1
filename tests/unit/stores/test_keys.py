"""Row keys: what HBase's byte order makes of users and times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.domain import identifier_problem
from recsys.core.times import MAX_TIMESTAMP_MS
from recsys.stores.hbase import keys
from recsys.stores.hbase.layout import SALT_BUCKETS

ids = st.text(min_size=1, max_size=256).filter(lambda text: identifier_problem(text) is None)
times = st.integers(0, MAX_TIMESTAMP_MS)


@given(st.lists(st.tuples(ids, times, ids), max_size=20))
def test_what_goes_into_a_key_comes_out_again(parts: list[tuple[str, int, str]]) -> None:
    decoded = keys.decode([keys.row_key(*part) for part in parts])

    assert [user_id.decode() for user_id in decoded.user_ids] == [part[0] for part in parts]
    assert decoded.timestamps_ms.tolist() == [part[1] for part in parts]
    assert [event_id.decode() for event_id in decoded.event_ids] == [part[2] for part in parts]


@given(ids, times, times, ids, ids)
def test_a_users_newer_event_has_the_smaller_key(
    user_id: str, one: int, other: int, event_id: str, other_event_id: str
) -> None:
    newer, older = max(one, other), min(one, other)
    newer_key = keys.row_key(user_id, newer, event_id)
    older_key = keys.row_key(user_id, older, other_event_id)

    assert newer == older or newer_key < older_key


@given(ids, ids)
def test_no_users_prefix_begins_with_anothers(user_id: str, other: str) -> None:
    prefix, other_prefix = keys.user_prefix(user_id), keys.user_prefix(other)

    assert prefix.startswith(other_prefix) == (user_id == other)


@given(ids)
def test_the_salt_names_a_bucket(user_id: str) -> None:
    assert keys.user_prefix(user_id)[0] < SALT_BUCKETS


def test_users_spread_evenly_over_the_buckets() -> None:
    counts = [0] * SALT_BUCKETS
    for number in range(16_000):
        counts[keys.user_prefix(f"user-{number}")[0]] += 1

    assert min(counts) > 800
    assert max(counts) < 1200


def test_a_users_keys_never_change() -> None:
    assert keys.row_key("u1", 1_300_000_000_000, "e") == bytes.fromhex(
        "06 7531 00 7ffffed151f637ff 65"
    )


@given(ids, times, times, times, ids)
def test_a_range_holds_exactly_the_times_of_its_window(
    user_id: str, time: int, start: int, end: int, event_id: str
) -> None:
    first, stop = keys.row_range(user_id, start, end)

    inside = first <= keys.row_key(user_id, time, event_id) < stop
    assert inside == (start <= time < end)


@given(ids, times, ids)
def test_a_range_without_an_end_holds_everything_since_its_start(
    user_id: str, time: int, event_id: str
) -> None:
    first, stop = keys.row_range(user_id, 0, None)

    assert first <= keys.row_key(user_id, time, event_id) < stop


@given(ids, ids, times, ids)
def test_a_range_holds_no_other_users_rows(
    user_id: str, other: str, time: int, event_id: str
) -> None:
    first, stop = keys.row_range(user_id, 0, None)

    inside = first <= keys.row_key(other, time, event_id) < stop
    assert inside == (user_id == other)


@pytest.mark.parametrize("key", [b"", b"\x01", b"\x01user", b"\x01user\x001234567"])
def test_a_foreign_row_key_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="not a row key"):
        keys.decode([key])
