"""Memory is freed: of models that serve no more, of earlier hidden items, of evicted shoppers."""

import gc
import tracemalloc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from recsys.core.behaviour import RecentEvents, StoredUser
from recsys.core.domain import Event
from recsys.core.serving.lists import PersonalList, Source
from recsys.stores.redis.recent import MAX_RECENT_EVENTS, encode_event
from services.recommender.model.answer_cache import BoundedCache, CachedUser, Rendering
from services.recommender.model.serving import LoadedModel
from tests.builders import EVENT_TYPES, a_history
from tests.eventually import eventually
from tests.unit.services.recommender.shop import Shop
from tests.unit.services.recommender.test_answer_batch import answers, of_item, of_user

_LIST_LENGTH = 100


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as shop:
        yield shop


@contextmanager
def without_collector() -> Iterator[None]:
    """Only reference counts free anything: what then is freed forms no cycle.

    A thread that has done its part may hold on to it until it gets its next turn.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def ask_about_everything(shop: Shop) -> None:
    questions = [of_user("ann", 1), of_user("bob", 2), of_user("nobody", 3), of_item("i0", 4)]
    assert not any(answer.error_code for answer in answers(shop, *questions).values())


def model_of(shop: Shop) -> LoadedModel:
    return shop.follower.serving("shop").model


def test_a_model_is_freed_once_another_serves_whatever_was_kept_of_its_answers(
    shop: Shop,
) -> None:
    shop.happens("bob", "i3")
    with without_collector():
        ask_about_everything(shop)
        old = weakref.ref(model_of(shop))
        shop.publish("v2")
        ask_about_everything(shop)
        eventually(lambda: old() is None)


def test_twenty_swaps_leave_one_model(shop: Shop) -> None:
    shop.happens("bob", "i3")
    with without_collector():
        models = []
        for number in range(20):
            shop.publish(f"v{number + 2}")
            ask_about_everything(shop)
            models.append(weakref.ref(model_of(shop)))
        eventually(lambda: [model() is None for model in models] == [True] * 19 + [False])


def test_a_swap_takes_nothing_away_from_the_collector(shop: Shop) -> None:
    frozen = gc.get_freeze_count()
    shop.publish("v2")
    ask_about_everything(shop)
    assert gc.get_freeze_count() == frozen


def test_hidden_items_are_not_kept_by_the_answers_that_left_them_out(shop: Shop) -> None:
    shop.happens("bob", "i3")
    with without_collector():
        earlier = []
        for item_id in ("i1", "i2", "i4"):
            shop.hide(item_id)
            # Other shoppers each time: those of before stay in the cache as they were.
            shop.happens(f"fan of {item_id}", "i3")
            questions = [of_user(f"fan of {item_id}", 1), of_item("i0", 2)]
            assert len(answers(shop, *questions)) == len(questions)
            earlier.append(weakref.ref(shop.follower.serving("shop").hidden))
        assert [hidden() is not None for hidden in earlier] == [False, False, True]


@pytest.mark.parametrize("is_folded_in", [False, True])
@pytest.mark.parametrize("events", [0, MAX_RECENT_EVENTS])
@pytest.mark.parametrize("pairs", [2, 2000])
def test_kept_shoppers_take_no_more_memory_than_is_accounted_for(
    pairs: int, events: int, is_folded_in: bool
) -> None:
    shoppers, cache = 10, BoundedCache[CachedUser](1 << 30)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(shoppers):
            user_id = f"shopper-{number:07}"
            cache.put(user_id, a_cached_user(user_id, pairs, events, is_folded_in=is_folded_in))
        # What making them has left behind is not kept.
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(cache) == shoppers
    assert after - before <= cache.used_bytes <= 1.5 * (after - before)


def a_cached_user(user_id: str, pairs: int, events: int, *, is_folded_in: bool) -> CachedUser:
    """With a record and events as Redis gives them, and an answer of twenty items in JSON."""
    stored = StoredUser(
        np.arange(_LIST_LENGTH, dtype=np.int32),
        np.ones(_LIST_LENGTH, np.float32),
        a_history(range(pairs)),
    )
    packed: list[bytes] = []
    for number in range(events):
        name = f"{user_id}-{number:028x}"
        event = Event(name, user_id, f"item-{number:07}", "view", 1 << 40)
        packed.append(encode_event(event, EVENT_TYPES))
        packed.append(b"%d.%d" % (1 << 40, number))
    personal = PersonalList(stored.items, stored.scores, Source.STORED, stored.history)
    if is_folded_in:
        items, scores = stored.items.copy(), stored.scores.copy()
        personal = PersonalList(items, scores, Source.FOLD_IN, a_history(range(pairs + events)))
    user = CachedUser(stored, RecentEvents(tuple(packed), list), personal, key=user_id)
    user.rendered.get(0, 20, lambda: Rendering(bytes(20 * 95), personal.source))
    return user
