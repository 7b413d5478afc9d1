import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.evaluation.baselines import ease
from recsys.training.event_log import pairs_of
from recsys.training.interactions import InteractionMatrix
from tests.builders import an_event_log

OWNED = (np.random.default_rng(4).random((40, 15)) < 0.3).astype(np.float32)


def by_the_paper(owned: np.ndarray, lambda_: float) -> np.ndarray:
    """Steck (2019), algorithm 1, as it stands."""
    gram = owned.T @ owned
    gram[np.diag_indices(len(gram))] += lambda_
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    weights[np.diag_indices(len(weights))] = 0
    return weights


def a_shop() -> InteractionMatrix:
    rows = [(f"u{user:02}", f"i{item:02}") for user, item in np.argwhere(OWNED > 0)]
    return pairs_of(an_event_log(rows, values=np.linspace(0.1, 3, len(rows)).tolist()), 10.0, 1.0)


@pytest.mark.parametrize("lambda_", [0.5, 20.0])
def test_weights_are_those_of_the_closed_form(lambda_: float) -> None:
    found = ease.item_weights(csr_matrix(OWNED), lambda_)
    assert found == pytest.approx(by_the_paper(OWNED.astype(np.float64), lambda_), abs=1e-6)


def test_a_score_adds_up_the_weights_of_what_the_user_had_whatever_the_strengths() -> None:
    pairs = a_shop()
    owned = (pairs.matrix() > 0).toarray().astype(np.float64)
    lambda_ = ease.regularization(csr_matrix(owned))
    expected = owned @ by_the_paper(owned, lambda_)
    users = np.array([7, 0, 3])
    assert ease.ease(pairs)(users) == pytest.approx(expected[users], abs=1e-5)


def test_regularization_grows_with_the_root_of_the_users_an_item_has() -> None:
    nine, one = (csr_matrix(np.ones((users, 4))) for users in (9, 1))
    assert ease.regularization(nine) == pytest.approx(3 * ease.regularization(one))


def test_more_items_than_can_be_inverted_are_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ease, "MAX_ITEMS", 14)
    with pytest.raises(ConfigurationError, match=r"at most 14; there are 15: leave .* out"):
        ease.ease(a_shop())
