"""Comparison of two models."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.training.als import AlsSettings, Trained
from recsys.training.als.half_step import row_lambdas
from recsys.training.als.loss import als_loss

SETTINGS = AlsSettings(factors=16, iterations=4)
# A tenth of a percent is what is asked for; rounding makes far less.
RELATIVE_LOSS = 1e-5


def assert_same_model(
    shop: csr_matrix, found: Trained, single: Trained, settings: AlsSettings = SETTINGS
) -> None:
    """The same loss, the same alpha and the same scores, but for rounding."""
    assert found.alpha == pytest.approx(single.alpha, rel=1e-6)
    expected = loss(shop, single, settings)
    assert loss(shop, found, settings) == pytest.approx(expected, rel=RELATIVE_LOSS)
    # Not pytest.approx, which compares a million numbers one by one, in seconds.
    assert np.abs(scores(found) - scores(single)).max() < 1e-3


def loss(shop: csr_matrix, model: Trained, settings: AlsSettings) -> float:
    lambdas = [row_lambdas(side, model.alpha, settings) for side in (shop, shop.T.tocsr())]
    factors = model.user_factors, model.item_factors
    return als_loss(shop, model.alpha, *factors, *lambdas)


def scores(model: Trained) -> np.ndarray:
    return model.user_factors @ model.item_factors.T
