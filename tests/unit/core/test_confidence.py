import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.confidence import confidence


@given(st.floats(0, 1e6), st.floats(0, 1e3))
def test_seen_items_never_weigh_less_than_unseen_ones(strength: float, alpha: float) -> None:
    assert confidence(np.array([strength]), alpha)[0] >= 1.0
