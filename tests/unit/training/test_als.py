import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.core.fold_in import fold_in, gramian
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


def test_fold_in_finds_the_factors_that_training_found() -> None:
    """Once training has converged, a user's half-step changes nothing."""
    random = np.random.default_rng(3)
    strengths = random.random((30, 20)) * (random.random((30, 20)) < 0.3)
    settings = AlsSettings(factors=4, regularization=0.2, iterations=200, device=Device.CPU)
    trained = train_als(csr_matrix(strengths, dtype=np.float32), settings)
    found = [
        fold_in(
            trained.item_factors[row > 0],
            gramian(trained.item_factors),
            row[row > 0].astype(np.float32),
            alpha=settings.alpha,
            regularization=settings.row_regularization(*strengths.shape),
        )
        for row in strengths
    ]
    assert np.array(found) == pytest.approx(trained.user_factors, abs=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1)])
def test_factors_stay_finite_when_there_is_almost_no_data(shape: tuple[int, int]) -> None:
    trained = train_als(csr_matrix(np.ones(shape, np.float32)), AlsSettings(device=Device.CPU))
    assert np.isfinite(trained.user_factors).all()
    assert np.isfinite(trained.item_factors).all()


def test_lambda_grows_with_the_shop() -> None:
    settings = AlsSettings(regularization=0.01)
    assert settings.row_regularization(100, 400) == pytest.approx(2.0)


def test_a_small_shop_is_not_regularized_to_nothing() -> None:
    trained = train_als(csr_matrix(checkerboard(6)), AlsSettings(device=Device.CPU))
    scores = trained.user_factors @ trained.item_factors.T
    assert scores[checkerboard(6) > 0].min() > 0.5


def test_progress_is_told_after_every_iteration() -> None:
    told: list[int] = []
    settings = AlsSettings(factors=2, iterations=3, device=Device.CPU)
    train_als(csr_matrix(checkerboard(6)), settings, told.append)
    assert told == [1, 2, 3]


def test_what_trained_is_recorded() -> None:
    trained = train_als(csr_matrix(checkerboard(6)), SETTINGS)
    assert trained.device is Device.CPU
    assert trained.versions["implicit"]
    assert trained.seconds > 0


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("factors", 0),
        ("factors", 5000),
        ("alpha", -1),
        ("regularization", -0.1),
        ("neighbour_weight", -1),
        ("iterations", 0),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(setting: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        AlsSettings(**{setting: value})  # type: ignore[arg-type]


def test_nan_is_no_setting() -> None:
    with pytest.raises(ConfigurationError, match="alpha"):
        AlsSettings(alpha=float("nan"))
