import os

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError, InvalidInput
from recsys.core.fold_in import fold_in, gramian, row_regularization
from recsys.training.als import AlsSettings, Device, train_als
from tests.builders import checkerboard

SETTINGS = AlsSettings(factors=8, alpha=40.0, iterations=30, device=Device.CPU)


def test_on_a_checkerboard_the_square_left_out_is_the_best_unseen_one() -> None:
    board = checkerboard(20)
    trained = train_als(csr_matrix(board), SETTINGS)
    scores = trained.user_factors @ trained.item_factors.T
    scores[board > 0] = -np.inf
    assert scores.argmax(axis=1).tolist() == list(range(20))


def test_the_same_seed_gives_the_same_factors_and_another_seed_others() -> None:
    matrix = csr_matrix(checkerboard(12))
    first, second = (train_als(matrix, SETTINGS) for _ in range(2))
    assert np.array_equal(first.user_factors, second.user_factors)
    assert np.array_equal(first.item_factors, second.item_factors)
    other = train_als(matrix, AlsSettings(factors=8, seed=2, device=Device.CPU))
    assert not np.allclose(first.item_factors, other.item_factors)


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    matrix = csr_matrix(random.random((600, 90)) * (random.random((600, 90)) < 0.2), dtype="f4")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    alone = train_als(matrix, SETTINGS)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(7)))
    together = train_als(matrix, SETTINGS)
    assert np.array_equal(alone.user_factors, together.user_factors)
    assert np.array_equal(alone.item_factors, together.item_factors)


def test_where_in_memory_arrays_lie_changes_nothing() -> None:
    """A compiled loop added up in another order where its scratch lay behind what it read."""
    settings, kept = AlsSettings(factors=4, iterations=3, device=Device.CPU), []
    for users in range(12, 72):
        random = np.random.default_rng(users)
        wanted = random.random((users, users // 2)) < 0.4
        matrix = csr_matrix(random.random(wanted.shape) * wanted, dtype="f4")
        first = train_als(matrix, settings, threads=1)
        for again in range(8):
            # So that the next arrays lie elsewhere.
            kept.append(np.empty(users * again, np.float32))
            other = train_als(matrix.copy(), settings, threads=1)
            assert np.array_equal(other.user_factors, first.user_factors)


def test_fold_in_finds_the_factors_that_training_found() -> None:
    random = np.random.default_rng(3)
    strengths = random.random((30, 20)) * (random.random((30, 20)) < 0.3)
    settings = AlsSettings(
        factors=8, alpha=3.0, regularization=0.02, iterations=10, device=Device.CPU
    )
    trained = train_als(csr_matrix(strengths, dtype=np.float32), settings)
    lambdas = row_regularization(
        strengths.sum(axis=1), 20, alpha=3.0, regularization=0.02, frequency_weight=1.0
    )
    found = [
        fold_in(
            trained.item_factors[row > 0],
            gramian(trained.item_factors),
            row[row > 0].astype(np.float32),
            alpha=3.0,
            row_regularization=float(lambda_u),
        )
        for row, lambda_u in zip(strengths, lambdas, strict=True)
    ]
    assert np.array(found) == pytest.approx(trained.user_factors, abs=1e-4)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (7, 3)])
@pytest.mark.parametrize("regularization", [0.0, 0.01])
def test_more_factors_than_the_data_has_rank_are_finite(
    shape: tuple[int, int], regularization: float
) -> None:
    settings = AlsSettings(factors=8, regularization=regularization, device=Device.CPU)
    trained = train_als(csr_matrix(np.ones(shape, np.float32)), settings)
    assert np.isfinite(trained.user_factors).all()
    assert np.isfinite(trained.item_factors).all()


@pytest.mark.parametrize("factors", [1, 512])
def test_few_and_many_factors_learn_what_was_seen(factors: int) -> None:
    board = np.kron(np.eye(1), np.ones((6, 9), np.float32))
    settings = AlsSettings(factors=factors, alpha=10.0, iterations=2, device=Device.CPU)
    trained = train_als(csr_matrix(board), settings)
    scores = trained.user_factors @ trained.item_factors.T
    assert scores == pytest.approx(np.ones((6, 9)), abs=0.2)


def test_empty_rows_and_columns_have_no_factors() -> None:
    board = checkerboard(12)
    board[3], board[:, 5] = 0, 0
    trained = train_als(csr_matrix(board), SETTINGS)
    assert not trained.user_factors[3].any()
    assert not trained.item_factors[5].any()
    assert np.isfinite(trained.user_factors).all()


def test_an_item_that_everybody_bought_is_predicted_for_everybody() -> None:
    board = checkerboard(12)
    board[:, 0] = 1
    trained = train_als(csr_matrix(board), SETTINGS)
    assert (trained.user_factors @ trained.item_factors[0]).min() > 0.8


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_strengths_that_mean_nothing_are_refused(bad: float) -> None:
    matrix = csr_matrix(checkerboard(6))
    matrix.data[3] = bad
    with pytest.raises(InvalidInput, match="strengths"):
        train_als(matrix, SETTINGS)


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(InvalidInput, match="strengths"):
        train_als(csr_matrix((3, 4), dtype=np.float32), SETTINGS)


def test_the_scale_of_weights_does_not_change_the_model_when_alpha_is_left_open() -> None:
    board = checkerboard(12)
    settings = AlsSettings(factors=8, device=Device.CPU)
    small, large = (train_als(csr_matrix(board * scale), settings) for scale in (1, 16))
    assert large.alpha == pytest.approx(small.alpha / 16)
    predicted = [found.user_factors @ found.item_factors.T for found in (small, large)]
    assert predicted[0] == pytest.approx(predicted[1], abs=1e-3)


def test_an_open_alpha_is_larger_for_sparser_shops() -> None:
    found = [train_als(csr_matrix(np.eye(n, dtype="f4")), SETTINGS_OPEN).alpha for n in (4, 16)]
    assert found == pytest.approx([1.0, 2.0])


SETTINGS_OPEN = AlsSettings(factors=8, iterations=1, device=Device.CPU)


def test_progress_is_told_after_every_iteration() -> None:
    told: list[int] = []
    settings = AlsSettings(factors=8, iterations=3, device=Device.CPU)
    train_als(csr_matrix(checkerboard(6)), settings, told.append)
    assert told == [1, 2, 3]


def test_what_trained_is_recorded() -> None:
    trained = train_als(csr_matrix(checkerboard(6)), SETTINGS)
    assert trained.device is Device.CPU
    assert trained.backend == "numba"
    assert trained.versions["numba"]
    assert trained.seconds > 0


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("factors", 0),
        ("factors", 5000),
        ("alpha", -1),
        ("alpha", float("nan")),
        ("regularization", -0.1),
        ("frequency_weight", -1),
        ("iterations", 0),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(setting: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        AlsSettings(**{setting: value})  # type: ignore[arg-type]
