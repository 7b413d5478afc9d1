import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.confidence import MS_PER_DAY, confidence, decay


@pytest.mark.parametrize(("age_days", "left"), [(0, 1.0), (30, 0.5), (60, 0.25), (-5, 1.0)])
def test_an_event_loses_half_its_weight_every_half_life(age_days: float, left: float) -> None:
    assert decay(age_days * MS_PER_DAY, half_life_days=30) == pytest.approx(left)


@given(st.floats(0, 1e6), st.floats(0, 1e3))
def test_seen_items_never_weigh_less_than_unseen_ones(strength: float, alpha: float) -> None:
    assert confidence(np.array([strength]), alpha)[0] >= 1.0
