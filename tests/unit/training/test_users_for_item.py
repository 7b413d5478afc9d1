"""Users for an item, against the scores of all items for every user."""

import numpy as np
import pytest

from recsys.core.model import TrainedModel
from recsys.core.scoring import score_users
from recsys.training.users_for_item import users_for_item
from tests.builders import a_history, a_user_model, an_item_model, scoring_params

N, USERS = 12, 30
PARAMS = scoring_params(neighbour_weight=0.7, step_half_life=2.0)
ITEMS = an_item_model(N, k=4, trend=np.linspace(0.5, 2, N).astype(np.float32))


def a_model(seed: int = 0) -> TrainedModel:
    random = np.random.default_rng(seed)
    histories = []
    for _ in range(USERS):
        items = random.choice(N, random.integers(0, 6), replace=False)
        strengths = random.normal(1, 1, len(items)).tolist()
        excluded = random.random(len(items)) < 0.5
        histories.append(
            a_history(
                items.tolist(), strengths, excluded, random.integers(0, 4, len(items)).tolist()
            )
        )
    return TrainedModel(PARAMS, ITEMS, a_user_model(histories, k=4))


@pytest.mark.parametrize("block", [7, 10_000])
@pytest.mark.parametrize("item", [0, 5])
def test_they_are_the_users_with_the_highest_scores(
    monkeypatch: pytest.MonkeyPatch, item: int, block: int
) -> None:
    monkeypatch.setattr("recsys.training.users_for_item._ROWS_PER_BLOCK", block)
    model = a_model()
    histories = [model.users.history(row) for row in range(USERS)]
    weight = PARAMS.neighbour_weight
    scores = score_users(model.users.factors, ITEMS, histories, weight, 2.0)[:, item]
    expected = [row for row in np.argsort(-scores, kind="stable").tolist() if scores[row] > 0][:8]
    users, found = users_for_item(model, item, 8)
    assert users.tolist() == expected
    assert found == pytest.approx(scores[expected], rel=1e-5)


def test_who_bought_or_disliked_it_is_left_out() -> None:
    histories = [a_history([1]), a_history([1], excluded=False), a_history([1], [-1.0])]
    users = a_user_model(histories, k=4)
    factors = np.tile(ITEMS.factors[1], (3, 1))
    model = TrainedModel(
        PARAMS, ITEMS, type(users)(users.ids, factors, users.indptr, users.histories)
    )
    assert users_for_item(model, 1, 5)[0].tolist() == [1]
