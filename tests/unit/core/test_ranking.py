import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from recsys.core.compiled_ranking import best_of
from recsys.core.ranking import top_n, top_n_rows

# Few distinct values, so that ties are common, and the two that mean "no score".
_SCORES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 12)),
    elements=st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, -np.inf, np.nan]),
)


@given(_SCORES, st.integers(1, 15))
def test_it_is_the_head_of_a_full_stable_sort(scores: np.ndarray, n: int) -> None:
    for row, best in zip(scores, top_n_rows(scores, n), strict=True):
        expected = [i for i in sorted(range(len(row)), key=lambda i: -row[i]) if row[i] > -np.inf]
        sorted_without_nan = [i for i in expected if not np.isnan(row[i])]
        by_score = sorted(sorted_without_nan, key=lambda i: (-row[i], i))
        assert best.tolist() == by_score[:n]


@settings(deadline=None)
@given(
    st.integers(1, 300), st.integers(1, 40), st.sampled_from([1, 3, 1000]), st.integers(0, 10_000)
)
def test_the_best_of_some_rows_are_the_same_in_whatever_order_they_come(
    size: int, n: int, different: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    scores = random.integers(-different, different, size) * random.choice([0.0, -0.0, 0.5], size)
    scores[random.random(size) < 0.1] = -np.inf
    row = scores.astype(np.float32)
    order = random.permutation(size).astype(np.int32)
    found, values = best_of(order, row[order], n)
    assert found.tolist() == top_n(row, n).tolist()
    assert values.tolist() == row[found].tolist()


def test_no_score_is_never_listed() -> None:
    assert top_n(np.array([np.nan, -np.inf, 1.0], np.float32), 3).tolist() == [2]
