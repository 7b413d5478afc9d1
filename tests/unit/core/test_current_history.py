"""A shopper's history with what happened since the model was trained."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.behaviour import RecentEvent
from recsys.core.current_history import current_history, session_history
from recsys.core.recency import steps_of
from tests.builders import a_history, an_item_model, scoring_params

PARAMS, ITEMS = scoring_params(), an_item_model()


def event(item: int, at_ms: int, kind: str = "view") -> RecentEvent:
    return RecentEvent(f"i{item}", kind, at_ms, PARAMS.read_at_ms)


def steps(items: list[int], found_steps: list[int]) -> dict[int, int]:
    return dict(zip(items, found_steps, strict=True))


def test_what_happened_since_is_newer_than_all_that_the_model_has() -> None:
    before = a_history([0, 1], steps=[0, 1])

    found = current_history(ITEMS.ids.index_of, PARAMS, before, [event(3, 900), event(2, 800)])

    assert steps(found.items.tolist(), found.steps.tolist()) == {3: 0, 2: 1, 0: 2, 1: 3}


def test_what_happens_at_one_time_is_one_moment() -> None:
    found = current_history(
        ITEMS.ids.index_of, PARAMS, a_history([0]), [event(2, 800), event(3, 800)]
    )
    assert steps(found.items.tolist(), found.steps.tolist()) == {0: 1, 2: 0, 3: 0}


def test_an_item_that_is_wanted_again_moves_to_the_front() -> None:
    before = a_history([0, 1], steps=[0, 1])
    found = current_history(ITEMS.ids.index_of, PARAMS, before, [event(1, 800)])
    assert steps(found.items.tolist(), found.steps.tolist()) == {1: 0, 0: 1}


@pytest.mark.parametrize("kind", ["impression", "no-such-type"])
def test_events_without_effect_leave_the_very_same_history(kind: str) -> None:
    before = a_history([0])
    assert current_history(ITEMS.ids.index_of, PARAMS, before, [event(1, 800, kind)]) is before
    assert current_history(ITEMS.ids.index_of, PARAMS, before, [event(99, 800)]) is before


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 20)), max_size=12),
    st.lists(st.tuples(st.integers(0, 5), st.integers(21, 40)), min_size=1, max_size=12),
)
def test_steps_are_those_that_training_on_everything_would_find(
    old: list[tuple[int, int]], new: list[tuple[int, int]]
) -> None:
    newest = dict(sorted(old, key=lambda each: each[1]))
    before = a_history(list(newest), steps=steps_of(list(newest.values())).tolist())

    found = current_history(ITEMS.ids.index_of, PARAMS, before, [event(*each) for each in new])

    newest |= dict(sorted(new, key=lambda each: each[1]))
    expected = steps_of([newest[item] for item in found.items.tolist()])
    assert found.steps.tolist() == expected.tolist()


def test_a_session_is_in_the_order_of_behaviour() -> None:
    found = session_history(ITEMS.ids.index_of, ["i4", "i0", "unknown", "i4", "i2"])
    assert steps(found.items.tolist(), found.steps.tolist()) == {2: 0, 4: 1, 0: 2}
    assert np.all(found.strengths == 1)
