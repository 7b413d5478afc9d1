import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.stores.redis.byte_runs import Runs, join, repeated, row_starts, slices

ROWS = 12


@st.composite
def some_runs(draw: st.DrawFn) -> Runs:
    """Cut anywhere from random bytes: empty, equal, overlapping, in any order."""
    size = draw(st.integers(0, 300))
    data = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, size).astype(np.uint8)
    bounds = st.tuples(st.integers(0, size), st.integers(0, size)).map(sorted)
    cuts = np.array([draw(bounds) for _ in range(ROWS)], np.int64)
    return Runs(data, cuts[:, 0], cuts[:, 1] - cuts[:, 0])


def run(runs: Runs, row: int) -> bytes:
    start = runs.starts[row]
    return runs.data[start : start + runs.lengths[row]].tobytes()


@given(st.lists(some_runs(), min_size=1, max_size=4))
def test_joining_concatenates_the_runs_of_every_row(parts: list[Runs]) -> None:
    data, offsets = join(parts)

    joined = [data[offsets[row] : offsets[row + 1]].tobytes() for row in range(ROWS)]
    assert joined == [b"".join(run(part, row) for part in parts) for row in range(ROWS)]
    assert offsets[-1] == len(data)


def test_joining_no_rows_gives_no_bytes() -> None:
    data, offsets = join([repeated(b"abc", 0)])

    assert len(data) == 0
    assert offsets.tolist() == [0]


def test_the_starts_of_rows_leave_padding_out() -> None:
    matrix = np.array([[1, 2, 3], [4, -1, -1], [-1, -1, -1]], "<i2")

    data, offsets = join([row_starts(matrix, np.array([3, 1, 0]))])

    assert data.view("<i2").tolist() == [1, 2, 3, 4]
    assert offsets.tolist() == [0, 6, 8, 8]


def test_the_rows_of_a_view_are_read_in_its_own_order() -> None:
    matrix = np.arange(12, dtype="<i4").reshape(3, 4)

    data, _ = join([row_starts(matrix[:, ::2], np.array([2, 2, 2]))])

    assert data.view("<i4").tolist() == [0, 2, 4, 6, 8, 10]


def test_slices_are_what_the_offsets_say() -> None:
    values = np.array([1.5, 2.5, 3.5], "<f4")

    data, offsets = join([slices(values, np.array([0, 2, 2, 3]))])

    assert data.view("<f4").tolist() == values.tolist()
    assert offsets.tolist() == [0, 8, 8, 12]
