import numpy as np
import pytest

from recsys.core.scoring import score_users, sum_of_neighbours
from tests.builders import a_history, an_item_model

FACTORS = np.array([[1.0, -0.5, 0.25], [0.5, 0.5, 0.5]], np.float32)


def test_a_score_is_the_trend_times_the_sum_of_its_parts() -> None:
    items = an_item_model(trend=np.linspace(0.5, 2.0, 6).astype(np.float32))
    history = a_history([0, 4], [2.0, -0.5], excluded=False)
    together = np.zeros(6)
    for item, strength in ((0, 2.0), (4, -0.5)):
        for neighbour, score in zip(
            items.neighbours[item], items.neighbour_scores[item], strict=True
        ):
            together[neighbour] += strength * score
    expected = items.trend * (FACTORS[0] @ items.factors.T + 3.0 * together)
    scores = score_users(FACTORS[:1], items, [history], 3.0)
    assert scores[0] == pytest.approx(expected, rel=1e-5)


def test_an_item_without_neighbours_adds_nothing() -> None:
    alone = an_item_model(2)
    history = a_history([0, 1])
    assert not sum_of_neighbours(alone.neighbours, alone.neighbour_scores, history).any()


def test_what_the_user_must_not_see_again_has_no_score() -> None:
    history = a_history([1, 3], excluded=[True, False])
    scores = score_users(FACTORS[:1], an_item_model(), [history], 1.0)[0]
    assert np.flatnonzero(scores == -np.inf).tolist() == [1]


def test_what_cannot_be_sold_has_no_score() -> None:
    items = an_item_model(eligible=np.array([True, False, True, True, True, False]))
    scores = score_users(FACTORS, items, [a_history([]), a_history([])], 1.0)
    assert np.flatnonzero(scores[0] == -np.inf).tolist() == [1, 5]
    assert np.array_equal(scores == -np.inf, np.tile(~items.eligible, (2, 1)))
