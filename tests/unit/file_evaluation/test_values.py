"""Whole columns are read as the import reads single values."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.times import read_file_time_ms
from spark_jobs.file_evaluation.values import UnreadableValue, read_timestamps_ms, read_values

MOMENT = datetime(2024, 1, 31, 12, 30, 15, 250_000, tzinfo=UTC)
MOMENT_MS = 1_706_704_215_250


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
    assert read_timestamps_ms(pa.array([text, text])).tolist() == [MOMENT_MS] * 2


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
    assert read_timestamps_ms(column).tolist() == [MOMENT_MS]


def test_a_date_is_its_first_moment() -> None:
    midnight = 1_706_659_200_000
    for column in (
        pa.array([date(2024, 1, 31)]),
        pa.array(["2024-01-31"]),
        pa.array(["20240131"]),
    ):
        assert read_timestamps_ms(column).tolist() == [midnight]


_WRITTEN = st.one_of(
    st.datetimes(datetime(1975, 1, 1), datetime(2099, 1, 1)).map(datetime.isoformat),
    st.datetimes(datetime(1975, 1, 1), datetime(2099, 1, 1)).map(lambda t: f"{t.isoformat()}Z"),
    st.integers(10**8, 4 * 10**9).map(str),
    # Below, thirteen digits that look like a date of the eleventh century are read as one.
    st.integers(1_300_000_000_000, 4 * 10**12).map(str),
    st.dates(date(1975, 1, 1)).map(date.isoformat),
)


@given(st.lists(_WRITTEN, min_size=1, max_size=6))
def test_columns_of_any_mixture_are_read_as_the_import_reads_them(texts: list[str]) -> None:
    expected = [read_file_time_ms(text) for text in texts]
    # Arrow and datetime may round half a millisecond to different sides.
    assert read_timestamps_ms(pa.array(texts)).tolist() == pytest.approx(expected, abs=1)


def test_the_first_unreadable_value_is_named() -> None:
    with pytest.raises(UnreadableValue, match="ISO 8601") as unreadable:
        read_timestamps_ms(pa.array(["2024-01-31", "soon", "later"]))
    assert unreadable.value.place == 1


def test_no_value_is_a_value_of_one() -> None:
    assert read_values(pa.array(["2.5", None, "-1", "0"])).tolist() == [2.5, 1, -1, 0]
    assert read_values(pa.array([3, None])).tolist() == [3, 1]


@pytest.mark.parametrize("column", [pa.array(["1", "x"]), pa.array([[1], [2]])])
def test_what_is_no_number_is_refused(column: pa.Array) -> None:
    with pytest.raises(UnreadableValue, match="must be a number"):
        read_values(column)


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
        read_timestamps_ms(column)
    assert unreadable.value.place == 1
