"""The compiled choice of the best, against that of the core."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.ranking import top_n
from recsys.training.best_of_row import keep_best, padded_length, scratch


def best(scores: np.ndarray, n: int) -> list[int]:
    row = np.full(padded_length(len(scores)), -np.inf, np.float32)
    row[: len(scores)] = scores
    items, kept = np.empty(n, np.int32), np.empty(n, np.float32)
    keep_best(row, *scratch(len(row)), items, kept)
    listed = items[items >= 0]
    assert kept[: len(listed)].tolist() == row[listed].tolist()
    assert np.isneginf(kept[len(listed) :]).all()
    return listed.tolist()


@settings(max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 3000),
    st.integers(1, 120),
    st.sampled_from([1, 3, 1000, None]),
)
def test_the_best_are_those_of_the_core_in_its_order(
    seed: int, columns: int, n: int, different: int | None
) -> None:
    """Also with few different scores, both zeros, and what may not be listed among them."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=columns)
    if different is not None:
        scores = random.integers(-different, different, columns) * random.choice([0.0, -0.0, 0.5])
    scores[random.random(columns) < 0.1] = -np.inf
    row = scores.astype(np.float32)
    assert best(row, n) == top_n(row, n).tolist()


@pytest.mark.parametrize("scale", [1e-38, 1e38])
def test_scores_of_any_size_are_told_apart(scale: float) -> None:
    row = (np.random.default_rng(0).permutation(2000) - 1000).astype(np.float32)
    row *= np.float32(scale / 1000)
    assert best(row, 100) == top_n(row, 100).tolist()


def test_one_far_above_all_others_does_not_hide_them() -> None:
    row = np.random.default_rng(0).normal(size=5000).astype(np.float32)
    row[7] = 3e38
    row[8] = -3e38
    assert best(row, 100) == top_n(row, 100).tolist()
