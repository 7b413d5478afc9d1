"""Users similar to one, by hand."""

import numpy as np
import pytest

from recsys.core.model import UserModel
from recsys.training.similar_users import similar_users
from tests.builders import a_history, a_user_model

# The first, the same twice over, one at 45 degrees, one with nothing in common, its opposite, and
# one of whom nothing is known.
FACTORS = [[1, 0], [2, 0], [1, 1], [0, 3], [-1, 0], [0, 0]]


def users() -> UserModel:
    model = a_user_model([a_history([0])] * len(FACTORS), k=2)
    factors = np.array(FACTORS, np.float32)
    return UserModel(model.ids, factors, model.indptr, model.histories)


def test_the_nearest_by_direction_come_first_and_the_user_not_at_all() -> None:
    found, similarities = similar_users(users(), 0, 10)
    assert found.tolist() == [1, 2]
    assert similarities == pytest.approx([1, 1 / np.sqrt(2)])
    assert similar_users(users(), 0, 1)[0].tolist() == [1]


def test_nobody_is_similar_to_a_user_without_factors() -> None:
    assert similar_users(users(), 5, 10)[0].tolist() == []


def test_it_is_the_angle_between_all_factors() -> None:
    random = np.random.default_rng(0)
    model = a_user_model([a_history([0])] * 40, k=4)
    factors = random.normal(size=(40, 4)).astype(np.float32)
    found, similarities = similar_users(
        UserModel(model.ids, factors, model.indptr, model.histories), 7, 5
    )
    lengths = np.linalg.norm(factors, axis=1)
    cosines = factors @ factors[7] / (lengths * lengths[7])
    cosines[7] = -1
    expected = np.argsort(-cosines)[:5]
    assert found.tolist() == expected.tolist()
    assert similarities == pytest.approx(cosines[expected], rel=1e-5)
