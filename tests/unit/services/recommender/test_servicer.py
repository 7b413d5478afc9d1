import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import numpy as np
import pytest

from recsys.core.domain import Event
from recsys.core.errors import InvalidInput, NotFound, Unavailable
from recsys.core.recommend import RecentEvent, StoredUser
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.stores.memory.hidden_items import MemoryHiddenItems
from recsys.stores.memory.published import MemoryPublishedModels, MemoryServingStore
from recsys.stores.memory.recent import MemoryRecentBehaviour
from recsys.stores.model_codec import pack_items
from recsys.stores.model_files import ITEMS
from services.recommender.follower import ModelFollower
from services.recommender.servicer import RecommenderServicer
from tests.builders import a_history, a_manifest, a_user_block, an_item_side, sha256

Result = TypeVar("Result")


class FailingStore(MemoryServingStore):
    """Loads models, and then cannot read users."""

    async def user(
        self, tenant: str, version: str, user_id: str
    ) -> tuple[StoredUser | None, list[RecentEvent]]:
        raise Unavailable("redis", "away")


class Shop:
    def __init__(self, store: type[MemoryServingStore] = MemoryServingStore) -> None:
        self.published = MemoryPublishedModels()
        self.recent = MemoryRecentBehaviour()
        self.store = store(self.published, self.recent, MemoryHiddenItems())
        self.follower = ModelFollower(self.store, ["shop"])
        self.servicer = RecommenderServicer(self.follower, self.store)
        items = pack_items(an_item_side())
        manifest = a_manifest("v1", sha256={ITEMS: sha256(items)})
        self.published.write_items("shop", "v1", manifest.to_json(), items)
        stored = StoredUser(
            np.array([3, 1], np.int32), np.array([2.0, 1.0], np.float32), a_history([0])
        )
        self.published.write_users("shop", "v1", a_user_block({"ann": stored}))
        self.published.activate("shop", "v1")
        asyncio.run(self.follower.refresh())

    def recommend(self, user_id: str = "ann", limit: int = 2, tenant: str = "shop") -> pb.Answer:
        request = pb.RecommendForUserRequest(tenant=tenant, user_id=user_id, limit=limit)
        return wait(self.servicer.RecommendForUser(request, None)).answer

    def similar(self, item_id: str, limit: int = 2) -> pb.Answer:
        request = pb.SimilarItemsRequest(tenant="shop", item_id=item_id, limit=limit)
        return wait(self.servicer.SimilarItems(request, None)).answer


def wait(answer: Awaitable[Result]) -> Result:
    async def run() -> Result:
        return await answer

    return asyncio.run(run())


def ids(answer: pb.Answer) -> list[str]:
    return [item.item_id for item in answer.items]


def test_a_known_user_gets_the_stored_list_with_titles() -> None:
    answer = Shop().recommend()
    assert [(i.item_id, i.title, i.score) for i in answer.items] == [
        ("i3", "Item 3", 2.0),
        ("i1", "Item 1", 1.0),
    ]
    assert (answer.source, answer.model_version, answer.degraded) == (pb.SOURCE_STORED, "v1", False)


def test_an_unknown_user_gets_popular_items_without_scores() -> None:
    answer = Shop().recommend("nobody")
    assert ids(answer) == ["i5", "i4"]
    assert answer.source == pb.SOURCE_POPULAR
    assert not answer.items[0].HasField("score")


def test_an_event_changes_the_next_answer() -> None:
    shop = Shop()
    event = Event("e1", "ann", "i3", "purchase", timestamp_ms=5_000_000)
    shop.recent.record("shop", [event], received_ms=5_000_000)
    answer = shop.recommend(limit=3)
    assert answer.source == pb.SOURCE_FOLD_IN
    assert "i3" not in ids(answer)


def test_when_users_cannot_be_read_the_answer_is_popular_and_says_so() -> None:
    answer = Shop(FailingStore).recommend()
    assert ids(answer) == ["i5", "i4"]
    assert answer.degraded


def test_similar_items_are_neighbours() -> None:
    answer = Shop().similar("i0")
    assert (ids(answer), answer.source) == (["i1", "i2"], pb.SOURCE_NEIGHBOURS)


def test_an_unknown_item_is_answered_with_popular_ones() -> None:
    answer = Shop().similar("never heard of")
    assert (ids(answer), answer.source) == (["i5", "i4"], pb.SOURCE_POPULAR)


@pytest.mark.parametrize("limit", [0, 101, 10**9])
def test_a_limit_out_of_range_is_refused_by_name(limit: int) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        Shop().recommend(limit=limit)


def test_a_bad_id_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="user_id"):
        Shop().recommend(user_id="")
    with pytest.raises(InvalidInput, match="item_id"):
        Shop().similar("a\0b")


def test_another_tenant_is_not_served() -> None:
    with pytest.raises(NotFound):
        Shop().recommend(tenant="othershop")
