"""Forgetting a user, also where a step fails."""

from typing import Any

import numpy as np
import pytest

from recsys.core.behaviour import StoredUser
from recsys.core.domain import Event, User
from recsys.core.errors import InvalidInput, Unavailable
from recsys.stores.memory.interactions import MemoryInteractionStore
from recsys.stores.memory.published import MemoryPublishedModels
from recsys.stores.memory.recent import MemoryRecentBehaviour
from recsys.stores.memory.users import MemoryUserStore
from services.ingest import whole_history
from services.ingest.erase_user import Erased, UserEraser
from services.ingest.users import Users
from tests.builders import EVENT_TYPES, a_history, a_user_batch


class Shop:
    """A shop where ann and bob looked at items, with a model that knows them."""

    def __init__(self) -> None:
        self.interactions = MemoryInteractionStore()
        self.recent = MemoryRecentBehaviour(lambda _: EVENT_TYPES)
        self.published = MemoryPublishedModels()
        record = StoredUser(np.array([3], np.int32), np.ones(1, np.float32), a_history([1]))
        self.published.write_users(
            "shop", "v1", a_user_batch(dict.fromkeys(("ann", "bob"), record))
        )
        self.published.activate("shop", "v1")
        for user in ("ann", "bob"):
            events = [Event(f"{user} {n}", user, f"i{n}", "view", n) for n in range(5)]
            self.interactions.append("shop", events, 5)
            self.recent.record("shop", events, 5)
        self.users_store = MemoryUserStore()
        self.users = Users(self.users_store, lambda: 9)
        for user in ("ann", "bob"):
            self.users.put("shop", User(user, {"tier": "gold"}))
        self.eraser = UserEraser(
            self.interactions, self.recent, self.published, self.users, lambda: 9
        )

    def known(self, user: str) -> list[bool]:
        return [
            bool(self.interactions.history("shop", user)),
            bool(self.recent.of_user("shop", user)),
            self.published.count_users("shop", "v1", [user]) == 1,
            self.users_store.get("shop", user) is not None,
        ]


@pytest.fixture
def shop() -> Shop:
    return Shop()


def test_of_a_user_nothing_is_left_and_of_others_everything(shop: Shop) -> None:
    assert shop.eraser.erase("shop", "ann") == Erased(5, degraded=False)
    assert shop.known("ann") == [False] * 4
    assert shop.known("bob") == [True] * 4
    assert shop.eraser.erase("shop", "ann") == Erased(0, degraded=False)


def test_a_user_with_many_events_is_forgotten_in_parts(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_history, "_EVENTS_AT_ONCE", 2)
    assert shop.eraser.erase("shop", "ann").removed_events == 5


def test_a_store_that_is_away_is_told_and_the_rest_is_done_when_asked_again(shop: Shop) -> None:
    forget = shop.recent.forget

    def away(*_: Any) -> None:
        raise Unavailable("redis", "away")

    shop.recent.forget = away  # type: ignore[method-assign]
    assert shop.eraser.erase("shop", "ann") == Erased(5, degraded=True)
    shop.recent.forget = forget  # type: ignore[method-assign]
    assert shop.eraser.erase("shop", "ann") == Erased(0, degraded=False)
    assert shop.known("ann") == [False] * 4


def test_where_events_cannot_be_removed_nothing_is_said_to_be(shop: Shop) -> None:
    def away(*_: Any) -> None:
        raise Unavailable("hbase", "away")

    shop.interactions.erase = away  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        shop.eraser.erase("shop", "ann")


def test_an_id_that_cannot_be_one_is_named(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="user_id"):
        shop.eraser.erase("shop", "")
