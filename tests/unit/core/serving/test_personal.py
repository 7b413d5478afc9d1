"""Items in a user's order, against the scores of all items."""

import numpy as np
import pytest

from recsys.core.model import History
from recsys.core.scoring import score_users
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import reranked
from recsys.core.user_factors import history_factors
from tests.builders import a_history, an_item_model, scoring_params

N = 20
PARAMS = scoring_params(neighbour_weight=0.7, step_half_life=3.0)
ITEMS = an_item_model(N, k=4, trend=np.linspace(0.5, 2, N).astype(np.float32))
MODEL = ServingModel.of(ITEMS, PARAMS, hidden=[4])
# One that was disliked lowers its neighbours; what is excluded elsewhere has its place here.
HISTORY = a_history([3, 8, 9], [2.0, -1.0, 0.5], steps=[2, 1, 0])


@pytest.mark.parametrize("seed", range(5))
def test_the_order_is_that_of_the_scores_of_all_items(seed: int) -> None:
    rows = np.random.default_rng(seed).permutation(N)[: seed * 4 + 1]
    factors = history_factors(ITEMS, PARAMS, HISTORY)
    nothing_excluded = a_history([3, 8, 9], [2.0, -1.0, 0.5], excluded=False, steps=[2, 1, 0])
    [scores] = score_users(
        factors[np.newaxis], ITEMS, [nothing_excluded], PARAMS.neighbour_weight, 3.0
    )
    expected = sorted(rows.tolist(), key=lambda row: -scores[row])
    assert reranked(MODEL, HISTORY, rows.tolist()) == expected


def test_for_an_unknown_user_it_is_that_of_popularity() -> None:
    assert reranked(MODEL, History.empty(), [3, 19, 4, 7]) == [19, 7, 4, 3]
    disliking = a_history([19], [-2.0])
    assert reranked(MODEL, disliking, [3, 19]) == [19, 3]


def test_of_no_items_there_is_no_order() -> None:
    assert reranked(MODEL, HISTORY, []) == []
    assert reranked(MODEL, History.empty(), []) == []
