"""Whole columns are read as the import reads single values."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.domain import identifier_problem
from recsys.core.times import read_file_time_ms
from recsys.evaluation.files.values import (
    UnreadableValue,
    read_ids,
    read_timestamps_ms,
    read_values,
)

MOMENT = datetime(2024, 1, 31, 12, 30, 15, 250_000, tzinfo=UTC)
MOMENT_MS = 1_706_704_215_250
# In 2099, so that whatever may be a time is one.
NOW_MS = 4_080_000_000_000


def read_times(column: pa.Array, now_ms: int = NOW_MS) -> list[int]:
    return read_timestamps_ms(column, now_ms).tolist()


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31T12:30:15.250",
        "2024-01-31 12:30:15.250",
        "2024-01-31T12:30:15.250Z",
        "2024-01-31T13:30:15.250+01:00",
        "2024-01-31T12:30:15.250 UTC",
        "20240131T123015.250",
        "1706704215.25",
        "1706704215250",
    ],
)
def test_a_moment_is_read_however_it_is_written(text: str) -> None:
    assert read_times(pa.array([text, text])) == [MOMENT_MS] * 2


@pytest.mark.parametrize(
    "column",
    [
        pa.array([MOMENT], pa.timestamp("ms", "UTC")),
        pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("ns")),
        pa.array([MOMENT_MS], pa.int64()),
        pa.array([MOMENT_MS / 1000], pa.float64()),
    ],
)
def test_typed_columns_need_no_reading(column: pa.Array) -> None:
    assert read_times(column) == [MOMENT_MS]


def test_a_date_is_its_first_moment() -> None:
    midnight = 1_706_659_200_000
    for column in (
        pa.array([date(2024, 1, 31)]),
        pa.array(["2024-01-31"]),
        pa.array(["20240131"]),
    ):
        assert read_times(column) == [midnight]


_WRITTEN = st.one_of(
    st.datetimes(datetime(1975, 1, 1), datetime(2099, 1, 1)).map(datetime.isoformat),
    st.datetimes(datetime(1975, 1, 1), datetime(2099, 1, 1)).map(lambda t: f"{t.isoformat()}Z"),
    st.integers(10**8, 4 * 10**9).map(str),
    # Below, thirteen digits that look like a date of the eleventh century are read as one.
    st.integers(1_300_000_000_000, 4 * 10**12).map(str),
    st.dates(date(1975, 1, 1), date(2099, 1, 1)).map(date.isoformat),
)


@given(st.lists(_WRITTEN, min_size=1, max_size=6))
def test_columns_of_any_mixture_are_read_as_the_import_reads_them(texts: list[str]) -> None:
    expected = [read_file_time_ms(text) for text in texts]
    # Arrow and datetime may round half a millisecond to different sides.
    assert read_times(pa.array(texts)) == pytest.approx(expected, abs=1)


def test_the_first_unreadable_value_is_named() -> None:
    with pytest.raises(UnreadableValue, match="ISO 8601") as unreadable:
        read_times(pa.array(["2024-01-31", "soon", "later"]))
    assert unreadable.value.place == 1


def test_no_value_is_a_value_of_one() -> None:
    assert read_values(pa.array(["2.5", None, " ", "0"])).tolist() == [2.5, 1, 1, 0]
    assert read_values(pa.array([3, None])).tolist() == [3, 1]
    assert read_values(pa.array([3.0, float("nan")])).tolist() == [3, 1]


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pa.array(["1", "x"]), "must be a number"),
        (pa.array([[1], [2]]), "must be a number"),
        (pa.array([True]), "must be a number"),
        (pa.array(["1", "nan"]), "must be a finite number"),
        (pa.array([1.0, float("inf")]), "must be a finite number"),
        (pa.array([1, -1]), "must be between 0 and"),
        (pa.array(["1e13", "2"]), "must be between 0 and"),
    ],
)
def test_what_is_no_quantity_is_refused(column: pa.Array, reason: str) -> None:
    with pytest.raises(UnreadableValue, match=reason):
        read_values(column)


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1, max_size=5))
def test_an_id_is_refused_exactly_where_the_domain_refuses_it(texts: list[str | None]) -> None:
    problems = [identifier_problem(text.strip()) for text in texts if text and text.strip()]
    column = pa.array(texts, pa.string())
    if any(problems):
        with pytest.raises(UnreadableValue) as refused:
            read_ids(column)
        at_fault = texts[refused.value.place]
        assert at_fault is not None
        assert identifier_problem(at_fault.strip()) == str(refused.value)
    else:
        assert read_ids(column).to_pylist() == texts


def test_an_id_may_be_as_long_as_in_the_shop_and_no_longer() -> None:
    assert read_ids(pa.array(["x" * 256])).to_pylist() == ["x" * 256]
    with pytest.raises(UnreadableValue, match="has 257 characters") as refused:
        read_ids(pa.array(["a", "a", "é" * 257]))
    assert refused.value.place == 2


def test_an_id_that_is_neither_text_nor_number_is_named_by_its_row() -> None:
    with pytest.raises(UnreadableValue, match="must be text"):
        read_ids(pa.array([["a"]]))
    with pytest.raises(UnreadableValue, match="must be text") as refused:
        read_ids(pa.array([None, None, date(2024, 1, 31)]))
    assert refused.value.place == 2


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (MOMENT_MS + 24 * 3600 * 1000, None),
        (MOMENT_MS + 24 * 3600 * 1000 + 1, "is more than 24 hours in the future"),
        ("2099-01-01", "is more than 24 hours in the future"),
        ("2101-01-01", "must not be after 2100"),
        (10**13, "must not be after 2100"),
        (10**10, "must not be after 2100"),
        (-5, "must not be before 1970"),
        (-1e300, "must not be before 1970"),
        ("1969-12-31", "must not be before 1970"),
        (True, "must be ISO 8601"),
    ],
)
def test_a_time_that_no_event_can_have_is_refused_as_the_import_refuses_it(
    value: object, reason: str | None
) -> None:
    """One line dated 2099 would make all other behaviour of a file count nothing."""
    plausible = str(MOMENT_MS) if isinstance(value, str) else type(value)(MOMENT_MS)
    column = pa.array([plausible, value])
    if reason is None:
        assert read_times(column, MOMENT_MS) == [MOMENT_MS, value]
        return
    with pytest.raises(UnreadableValue, match=reason):
        read_times(column, MOMENT_MS)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([MOMENT_MS, MOMENT_MS * 1000], pa.int64()),
        pa.array([str(MOMENT_MS), str(MOMENT_MS * 1000)]),
        pa.array([MOMENT.isoformat(), str(MOMENT_MS * 1000)]),
    ],
)
def test_microseconds_are_refused_by_name(column: pa.Array) -> None:
    with pytest.raises(UnreadableValue, match="counts microseconds") as unreadable:
        read_times(column)
    assert unreadable.value.place == 1
