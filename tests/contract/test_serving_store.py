"""Contract of ServingStore, real and in memory."""

import numpy as np
import pytest

from recsys.core.behaviour import RecentEvent, StoredUser
from recsys.core.domain import Event
from recsys.core.errors import InvalidModel
from recsys.core.ports import UserLookup
from recsys.stores.redis import keys, published
from recsys.stores.redis.connect import Redis
from tests.builders import a_history, a_user_batch
from tests.contract.test_published_models import STRANGE_IDS, a_user
from tests.redis_fixture import Ask, ServingSide


def test_before_the_first_version_there_is_none(serving_side: ServingSide, ask: Ask) -> None:
    assert ask(serving_side.serving.current("shop")) is None


def test_the_item_model_comes_back_as_it_was_written(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.published.write_items("shop", "v1", b"{}", b"\0\1\2")

    assert ask(serving_side.serving.item_model("shop", "v1")) == (b"{}", b"\0\1\2")


@pytest.mark.parametrize("size", [1, 63, 64, 65, 64 * 12 + 1])
def test_an_item_model_of_several_chunks_comes_back_whole(
    serving_side: ServingSide, ask: Ask, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(published, "CHUNK_BYTES", 64)
    items = np.random.default_rng(1).bytes(size)

    serving_side.published.write_items("shop", "v1", b"{}", items)

    assert ask(serving_side.serving.item_model("shop", "v1")) == (b"{}", items)


def test_a_version_that_was_never_written_is_invalid(serving_side: ServingSide, ask: Ask) -> None:
    with pytest.raises(InvalidModel, match="v1"):
        ask(serving_side.serving.item_model("shop", "v1"))


@pytest.mark.redis
def test_a_key_that_holds_something_else_concerns_one_user_only(
    redis_side: ServingSide, redis: Redis, ask: Ask
) -> None:
    users = {user_id: a_user(3) for user_id in ("ann", "bob", "eve")}
    redis_side.published.write_users("shop", "v1", a_user_batch(users))
    redis.set(keys.recent("shop", "ann"), "no sorted set")
    redis.delete(keys.user("shop", "v1", "bob"))
    redis.rpush(keys.user("shop", "v1", "bob"), "no record")

    wanted = [UserLookup("shop", "v1", user_id, with_record=True) for user_id in users]
    ann, bob, eve = ask(redis_side.serving.users(wanted))

    assert ann.stored is not None
    assert "something else" in (ann.problem or "")
    assert bob.stored is None
    assert "something else" in (bob.problem or "")
    assert eve.stored is not None
    assert eve.problem is None


@pytest.mark.redis
@pytest.mark.parametrize(
    "missing", [keys.manifest("shop", "v1"), keys.items_chunk("shop", "v1", 0)]
)
def test_a_version_without_one_of_its_parts_is_invalid(
    redis_side: ServingSide, redis: Redis, ask: Ask, missing: str
) -> None:
    redis_side.published.write_items("shop", "v1", b"{}", b"items")
    redis.delete(missing)

    with pytest.raises(InvalidModel, match="v1"):
        ask(redis_side.serving.item_model("shop", "v1"))


@pytest.mark.parametrize("user_id", STRANGE_IDS)
def test_a_user_comes_back_with_list_and_history(
    serving_side: ServingSide, ask: Ask, user_id: str
) -> None:
    serving_side.published.write_users("shop", "v1", a_user_batch({user_id: a_user(3, 1, 2)}))

    stored, recent = ask(serving_side.user("shop", "v1", user_id))

    assert stored is not None
    assert stored.items.tolist() == [3, 1, 2]
    assert stored.scores.tolist() == [1, 0.75, 0.5]
    assert stored.history.items.tolist() == [1, 2]
    assert stored.history.strengths.tolist() == pytest.approx([0.5, 0.1])
    assert stored.history.excluded.all()
    assert recent == []


def test_users_of_one_block_do_not_get_mixed_up(serving_side: ServingSide, ask: Ask) -> None:
    users = {
        user_id: StoredUser(
            np.arange(row, 2 * row, dtype=np.int32),
            np.full(row, row, np.float32),
            a_history(range(7 * row % 10), excluded=row % 2 == 0),
        )
        for row, user_id in enumerate(STRANGE_IDS)
    }
    serving_side.published.write_users("shop", "v1", a_user_batch(users))

    for user_id, user in users.items():
        stored, _ = ask(serving_side.user("shop", "v1", user_id))
        assert stored is not None
        assert stored.items.tolist() == user.items.tolist()
        assert stored.scores.tolist() == user.scores.tolist()
        assert stored.history.items.tolist() == user.history.items.tolist()
        assert stored.history.excluded.tolist() == user.history.excluded.tolist()


def test_a_user_with_nothing_stored_comes_back_empty(serving_side: ServingSide, ask: Ask) -> None:
    nothing = StoredUser(np.empty(0, np.int32), np.empty(0, np.float32), a_history([]))
    serving_side.published.write_users("shop", "v1", a_user_batch({"ann": nothing}))

    stored, _ = ask(serving_side.user("shop", "v1", "ann"))

    assert stored is not None
    assert (len(stored.items), len(stored.history.items)) == (0, 0)


def test_a_user_of_another_version_is_unknown(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.published.write_users("shop", "v1", a_user_batch({"ann": a_user(3)}))

    assert ask(serving_side.user("shop", "v2", "ann")) == (None, [])


def test_recent_events_come_with_the_user_known_or_not(serving_side: ServingSide, ask: Ask) -> None:
    serving_side.published.write_users("shop", "v1", a_user_batch({"ann": a_user(3)}))
    for user_id in ("ann", "new"):
        serving_side.recent.record("shop", [Event("e", user_id, "lamp", "view", 5)], 7)

    known, of_known = ask(serving_side.user("shop", "v1", "ann"))
    unknown, of_unknown = ask(serving_side.user("shop", "v1", "new"))

    assert known is not None
    assert unknown is None
    assert of_known == of_unknown == [RecentEvent("lamp", "view", 5, 7)]
