import pytest

from recsys.runtime.deadline import MARGIN_SECONDS, Deadline


@pytest.mark.parametrize(
    ("elapsed", "budget", "timeout"),
    [
        (0.0, 0.3, 0.3),
        (0.9, 0.3, 0.1 - MARGIN_SECONDS),
        (0.995, 0.3, 0.0),
        (5.0, 0.3, 0.0),
    ],
)
def test_a_call_gets_its_budget_or_what_is_left(
    elapsed: float, budget: float, timeout: float
) -> None:
    now = 100.0
    deadline = Deadline.after(1.0, clock=lambda: now)
    now += elapsed
    assert deadline.timeout(budget) == pytest.approx(timeout)


def test_nothing_left_is_zero_not_negative() -> None:
    now = 0.0
    deadline = Deadline.after(1.0, clock=lambda: now)
    now = 3.0
    assert deadline.remaining() == 0.0
