import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.fold_in import confidence, fold_in, gramian, normal_system, spectrum
from recsys.core.user_factors import UserSystem


@given(st.integers(1, 8), st.integers(2, 30), st.integers(0, 2**32 - 1))
def test_it_minimises_the_weighted_least_squares_of_the_paper(k: int, n: int, seed: int) -> None:
    """The oracle is the dense normal equation over all n items in float64."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(n, k))
    touched = random.random(n) < 0.5
    strengths = np.where(touched, random.random(n) * 3, 0.0)
    weights, wanted = 1.0 + 5.0 * strengths, touched.astype(float)
    system = factors.T @ np.diag(weights) @ factors + 2.0 * np.eye(k)
    expected = np.linalg.solve(system, factors.T @ (weights * wanted))

    single = factors.astype(np.float32)
    found = fold_in(
        single[touched],
        gramian(single),
        strengths[touched].astype(np.float32),
        alpha=5.0,
        row_regularization=2.0,
    )

    assert found == pytest.approx(expected, abs=1e-4)


@given(
    st.integers(1, 8),
    st.integers(0, 20),
    st.sampled_from([0.0, 0.5, 20.0]),
    st.integers(0, 999),
)
def test_the_smaller_system_has_the_same_solution(
    k: int, length: int, row_lambda: float, seed: int
) -> None:
    """More items than factors or fewer, none at all, and a user that nothing holds back."""
    random = np.random.default_rng(seed)
    factors = random.normal(size=(30, k)).astype(np.float32)
    own = factors[random.choice(30, length, replace=False)]
    strengths = random.random(length).astype(np.float32) * 3
    settings = {"alpha": 5.0, "row_regularization": row_lambda}

    found = UserSystem.of(own, spectrum(gramian(factors)), strengths, **settings).user_factors()

    expected = fold_in(own, gramian(factors), strengths, **settings)
    assert found == pytest.approx(expected, abs=1e-4)


@given(st.integers(1, 8), st.integers(1, 20), st.integers(1, 4), st.integers(0, 999))
def test_products_by_the_inverse_are_those_of_the_whole_system(
    k: int, length: int, others: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    factors = random.normal(size=(30, k)).astype(np.float32)
    own = factors[random.choice(30, length, replace=False)]
    strengths = 0.1 + random.random(length).astype(np.float32) * 3
    settings = {"alpha": 5.0, "row_regularization": 0.5}

    system = UserSystem.of(own, spectrum(gramian(factors)), strengths, **settings)
    found = system.products(factors[:others])

    whole = normal_system(own, gramian(factors), strengths, **settings)
    assert found == pytest.approx(own @ np.linalg.solve(whole, factors[:others].T), abs=1e-4)


def test_no_behaviour_gives_no_taste() -> None:
    factors = np.eye(3, dtype=np.float32)
    nothing = fold_in(
        factors[:0], gramian(factors), np.empty(0, np.float32), alpha=1.0, row_regularization=1.0
    )
    assert not nothing.any()


def test_strengths_that_have_faded_and_those_that_have_not_stand_side_by_side() -> None:
    """A view of long ago beside an order: weights lie eighteen powers of ten apart."""
    random = np.random.default_rng(0)
    factors = random.normal(size=(30, 6)).astype(np.float32)
    strengths = np.array([2.0**-60, 3.0, 2.0**-20], np.float32)
    settings = {"alpha": 500.0, "row_regularization": 0.1}

    system = UserSystem.of(factors[:3], spectrum(gramian(factors)), strengths, **settings)
    found = system.user_factors()

    expected = fold_in(factors[:3], gramian(factors), strengths, **settings)
    assert found == pytest.approx(expected, rel=1e-4)


def test_what_nothing_holds_back_and_nobody_touched_is_zero() -> None:
    """Without regularization, and with items that span less than the factors."""
    factors = np.zeros((5, 4), np.float32)
    factors[:, 1] = 1.0
    system = UserSystem.of(
        factors[:2],
        spectrum(gramian(factors)),
        np.ones(2, np.float32),
        alpha=1.0,
        row_regularization=0.0,
    )
    found = system.user_factors()
    assert found == pytest.approx([0, 4 / 7, 0, 0], abs=1e-6)


@pytest.mark.parametrize(("alpha", "strengths"), [(0.0, [1.0, 2.0]), (1.0, [1e-38, 2.0])])
def test_strengths_may_add_nothing_to_confidence(alpha: float, strengths: list[float]) -> None:
    factors = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    own, counted = factors[:2], np.array(strengths, np.float32)
    settings = {"alpha": alpha, "row_regularization": 0.5}

    system = UserSystem.of(own, spectrum(gramian(factors)), counted, **settings)

    expected = fold_in(own, gramian(factors), counted, **settings)
    assert system.user_factors() == pytest.approx(expected, abs=1e-5)
    whole = normal_system(own, gramian(factors), counted, **settings)
    assert system.products(own) == pytest.approx(own @ np.linalg.solve(whole, own.T), abs=1e-5)


@given(st.floats(0, 1e6), st.floats(0, 1e3))
def test_seen_items_never_weigh_less_than_unseen_ones(strength: float, alpha: float) -> None:
    assert confidence(np.array([strength]), alpha)[0] >= 1.0
