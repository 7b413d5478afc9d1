import numpy as np
import pytest

from recsys.core.behaviour import StoredUser
from recsys.core.model import TrainedModel
from recsys.core.ranking import top_n
from recsys.core.scoring import score_users
from recsys.stores.memory.published import MemoryPublishedModels
from spark_jobs.nightly import publish_recommendations
from spark_jobs.nightly.publish_recommendations import publish_shard, user_batch
from tests.builders import a_history, a_user_model, an_item_model, scoring_params

USERS = 11
HISTORIES = [a_history(range(user % 4), excluded=user % 2 == 0) for user in range(1, USERS + 1)]
MODEL = TrainedModel(scoring_params(neighbour_weight=0.5), an_item_model(), a_user_model(HISTORIES))


@pytest.fixture(autouse=True)
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_recommendations, "LIST_LENGTH", 4)


def published(rows: range) -> dict[str, StoredUser]:
    target = MemoryPublishedModels()
    assert publish_shard(target, "shop", "v1", MODEL, rows) == len(rows)
    return target.users["shop", "v1"]


def test_a_shard_is_published_whole_and_nothing_else() -> None:
    assert list(published(range(2, 10))) == [f"u{row}" for row in range(2, 10)]


def test_every_user_gets_the_best_by_score_and_the_own_history() -> None:
    stored = published(range(USERS))

    for row, history in enumerate(HISTORIES):
        user = stored[f"u{row}"]
        assert user.history.items.tolist() == history.items.tolist()
        assert user.history.excluded.tolist() == history.excluded.tolist()
        if len(history.items):
            factors = MODEL.users.factors[row : row + 1]
            scores = score_users(factors, MODEL.items, [history], 0.5)[0]
            assert user.items.tolist() == top_n(scores, 4).tolist()
            assert user.scores == pytest.approx(scores[user.items], rel=1e-6)


def test_where_nothing_in_the_history_counts_the_list_stays_empty() -> None:
    strengths = [[0.0, 0.0], [-2.0, 0.0], [-2.0, 0.5]]
    histories = [a_history([1, 2], each) for each in strengths]
    model = TrainedModel(MODEL.params, MODEL.items, a_user_model([*histories, a_history([])]))

    block = user_batch(model, range(4))

    assert [len(block.user(row).items) for row in range(4)] == [0, 0, 4, 0]
    assert [block.user(row).history.strengths.tolist() for row in range(3)] == strengths


def test_a_list_is_shorter_where_little_may_be_recommended() -> None:
    eligible = np.array([True, False, True, False, False, False])
    items = an_item_model(eligible=eligible)
    model = TrainedModel(MODEL.params, items, a_user_model([a_history([0]), a_history([5])]))

    block = user_batch(model, range(2))

    assert block.user(0).items.tolist() == [2]
    assert sorted(block.user(1).items.tolist()) == [0, 2]
