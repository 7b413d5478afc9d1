"""When replicas come and go: known answers of Kubernetes' rules."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.scaling.policy import POLICIES, Policy, Recommendation, recommended, stabilized

POLICY = Policy(least=1, most=10, target=0.6, tolerance=0.1, shrink_after_seconds=60)

ratios = st.lists(st.floats(0, 1.5), min_size=1, max_size=10)


@pytest.mark.parametrize(
    ("busy", "replicas"),
    [
        # ceil(2 * 0.9 / 0.6)
        ([0.9, 0.9], 3),
        # The average counts, not the busiest.
        ([1.0, 0.2], 2),
        ([0.3, 0.3, 0.3, 0.3], 2),
        ([0.01], 1),
        # 3 * 0.6 / 0.6 in floats is a little more than 3; as is 0.65 within the tolerance.
        ([0.6, 0.6, 0.6], 3),
        ([0.65, 0.65], 2),
        ([0.67, 0.67], 3),
        # Silent: idle when more are asked for, at target when fewer are.
        ([1.0, None], 2),
        ([1.2, 1.2, None], 4),
        ([0.1, None], 2),
        ([0.1, 0.1, 0.1, None], 2),
        # A guess alone is no reason to change anything.
        ([0.7, None], 2),
        ([None, None], 2),
    ],
)
def test_the_recommendation_is_the_one_of_kubernetes(
    busy: list[float | None], replicas: int
) -> None:
    assert recommended(busy, POLICY) == replicas


@given(ratios, st.integers(1, 4), st.integers(4, 8))
def test_the_bounds_hold_whatever_the_load(busy: list[float], least: int, most: int) -> None:
    policy = replace(POLICY, least=least, most=most)
    assert least <= recommended(busy, policy) <= most


@given(ratios)
def test_more_load_never_means_fewer_replicas(busy: list[float]) -> None:
    assert recommended([one + 0.2 for one in busy], POLICY) >= recommended(busy, POLICY)


def history(*steps: tuple[float, int]) -> list[Recommendation]:
    return [Recommendation(at, replicas) for at, replicas in steps]


@pytest.mark.parametrize(
    ("running", "steps", "replicas"),
    [
        # More at once.
        (2, [(0, 2), (1, 4)], 4),
        # Fewer only when fewer have been enough for the whole window.
        (4, [(0, 4), (59, 2)], 4),
        (4, [(0, 4), (61, 2)], 2),
        (4, [(0, 4), (30, 3), (61, 2)], 3),
        # What was recommended and never came about, another's change, is no reason to grow now.
        (2, [(0, 4), (30, 2)], 2),
    ],
)
def test_growing_is_immediate_and_shrinking_waits(
    running: int, steps: list[tuple[float, int]], replicas: int
) -> None:
    assert stabilized(running, history(*steps), POLICY) == replicas


def test_the_most_is_what_the_stack_has_ports_for() -> None:
    for service, policy in POLICIES.items():
        assert policy.most == service.most
        assert 1 <= policy.least < policy.most
