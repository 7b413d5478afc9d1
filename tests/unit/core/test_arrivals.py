import numpy as np
import pytest

from recsys.core.arrivals import stands_out_as_new

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000
OLD, UNKNOWN = 400, None


def found(*days_ago: float | None) -> list[bool]:
    arrivals = [0 if days is None else NOW_MS - int(days * DAY_MS) for days in days_ago]
    return stands_out_as_new(np.array(arrivals, np.int64), NOW_MS).tolist()


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        pytest.param([OLD, OLD, 29], [False, False, True], id="within the month"),
        pytest.param([OLD, OLD, 31], [False, False, False], id="longer ago"),
        pytest.param([OLD, OLD, -5], [False, False, True], id="still to come"),
        pytest.param([3, 3, 3], [False, False, False], id="all in one import"),
        pytest.param([3, 3, 3, 1], [False, False, False, True], id="after the first import"),
        pytest.param([3, 2.9, 2.8], [False, False, False], id="an import of some hours"),
        pytest.param([OLD, 3, 3, 3], [False] * 4, id="a large import that came later"),
        pytest.param([UNKNOWN, UNKNOWN], [False, False], id="nobody knows"),
        pytest.param([UNKNOWN, OLD, OLD, 2], [False, False, False, True], id="some are known"),
        pytest.param([], [], id="no item"),
    ],
)
def test_what_is_new_came_lately_and_after_most_others(
    days_ago: list[float | None], expected: list[bool]
) -> None:
    assert found(*days_ago) == expected
