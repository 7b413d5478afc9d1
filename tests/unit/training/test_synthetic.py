from itertools import pairwise

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.training.synthetic import SyntheticShop

SHOP = SyntheticShop(users=20_000, items=5_000, interactions=400_000, seed=3)


@pytest.fixture(scope="module")
def strengths() -> csr_matrix:
    return SHOP.strengths()


def tail_exponent(counts: NDArray[np.int64], least: int, octaves: int) -> float:
    """g of a density ~ x^-g: each octave [x, 2x) then holds 2^(g-1) times less than the one before.

    Unlike Hill's estimator it does not mind where the distribution is cut off.
    """
    edges = least * 2 ** np.arange(octaves + 1)
    held = [np.count_nonzero((low <= counts) & (counts < high)) for low, high in pairwise(edges)]
    slope, _ = np.polyfit(np.arange(octaves), np.log2(held), 1)
    return float(1 - slope)


def test_activity_follows_its_power_law(strengths: csr_matrix) -> None:
    assert tail_exponent(np.diff(strengths.indptr), 8, 5) == pytest.approx(2, abs=0.1)


def test_popularity_follows_zipfs_law(strengths: csr_matrix) -> None:
    """Zipf's rank^-1 is a density of counts ~ count^-2; the busiest users flatten its top a bit."""
    popularity = np.bincount(strengths.indices, minlength=SHOP.items)
    assert tail_exponent(popularity, 40, 4) == pytest.approx(2, abs=0.25)


def test_most_meetings_happen_once_and_each_further_one_is_half_as_likely(
    strengths: csr_matrix,
) -> None:
    shares = np.bincount(strengths.data.astype(int)) / strengths.nnz
    assert shares[:5] == pytest.approx([0, 1 / 2, 1 / 4, 1 / 8, 1 / 16], abs=0.01)


def test_who_shares_one_item_shares_others_more_than_popularity_explains(
    strengths: csr_matrix,
) -> None:
    """Co-occurrence of two items of middling popularity, over what independence would give."""
    seen = strengths.astype(bool).astype(np.float64)
    popularity = np.asarray(seen.sum(axis=0)).ravel()
    items = np.argsort(-popularity)[200:400]
    lift = (seen[:, items].T @ seen[:, items]).toarray()
    lift /= np.outer(popularity[items], popularity[items]) / SHOP.users
    upper = np.sort(lift[np.triu_indices(len(items), 1)])
    assert upper[-len(upper) // 100 :].mean() > 3 * np.median(upper)


def test_the_same_seed_makes_the_same_shop_whatever_the_number_of_threads(
    strengths: csr_matrix,
) -> None:
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        alone = SHOP.strengths()
    finally:
        numba.set_num_threads(threads)
    assert_same(alone, strengths)


def test_another_seed_makes_another_shop(strengths: csr_matrix) -> None:
    other = SyntheticShop(SHOP.users, SHOP.items, SHOP.interactions, seed=4).strengths()
    assert (other != strengths).nnz > SHOP.interactions


@settings(max_examples=50)
@given(st.data())
def test_any_size_has_exactly_its_pairs_sorted_and_none_twice(data: st.DataObject) -> None:
    users, items = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 40))
    interactions = data.draw(st.integers(0, users * items))
    matrix = SyntheticShop(users, items, interactions).strengths()
    assert matrix.shape == (users, items)
    assert matrix.nnz == interactions
    assert (matrix.dtype, matrix.indices.dtype) == (np.float32, np.int32)
    assert matrix.data.min(initial=1) >= 1
    for row in range(users):
        pairs = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
        assert (np.diff(pairs) > 0).all()
        assert ((pairs >= 0) & (pairs < items)).all()


@pytest.mark.parametrize(
    ("size", "named"),
    [
        ((0, 5, 0), "users"),
        ((5, 0, 0), "items"),
        ((5, 5, 26), "interactions"),
        ((5, 5, -1), "interactions"),
        ((10**6, 10**6, 2**31), "interactions"),
    ],
)
def test_a_size_that_cannot_be_is_named(size: tuple[int, int, int], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        SyntheticShop(*size)


def assert_same(one: csr_matrix, other: csr_matrix) -> None:
    for part in ("indptr", "indices", "data"):
        assert np.array_equal(getattr(one, part), getattr(other, part))
