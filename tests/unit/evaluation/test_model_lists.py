import numpy as np
import pytest

from recsys.core.scoring import score_users
from recsys.evaluation import NO_ITEM, TestSet, top_k_lists
from recsys.evaluation.model_lists import model_lists
from recsys.training.als import AlsSettings, Device
from recsys.training.build import build_model
from recsys.training.event_log import pairs_of
from recsys.training.settings import ModelSettings
from tests.builders import an_event_log

SETTINGS = ModelSettings(AlsSettings(factors=8, iterations=2, device=Device.CPU))


def test_lists_are_those_of_the_one_scoring_calculation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when users come in several calls, and where fewer than k items are left."""
    monkeypatch.setattr("recsys.evaluation.model_lists.USERS_PER_CALL", 7)
    random = np.random.default_rng(1)
    squares = np.argwhere(random.random((25, 12)) < 0.4)
    pairs = pairs_of(an_event_log([(f"u{u:02}", f"i{i:02}") for u, i in squares]), 10.0, 1.0)
    built = build_model(pairs, ("",) * 12, np.ones(12, np.bool_), SETTINGS)
    users = np.arange(0, len(pairs.users), 2)
    test = TestSet.from_pairs(users, users % 12, *pairs.shape)

    found = model_lists(built, test, k=15)

    def score(rows: np.ndarray) -> np.ndarray:
        histories = [built.users.history(row) for row in rows]
        return score_users(
            built.users.factors[rows], built.items, histories, built.neighbour_weight
        )

    assert np.array_equal(found, top_k_lists(score, test, k=15))
    assert (found[:, 12:] == NO_ITEM).all()
