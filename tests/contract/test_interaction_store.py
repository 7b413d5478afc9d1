"""What every InteractionStore does, real or in memory."""

import pytest

from recsys.core.domain import Event
from recsys.core.ports import InteractionStore
from recsys.stores.memory.interactions import MemoryInteractionStore

DAY_MS = 24 * 3600 * 1000
TENANT = "shop"


@pytest.fixture(params=["memory", pytest.param("hbase", marks=pytest.mark.hbase)])
def store(request: pytest.FixtureRequest) -> InteractionStore:
    if request.param == "memory":
        return MemoryInteractionStore()
    return request.getfixturevalue("hbase_interactions")


@pytest.fixture
def user_id(request: pytest.FixtureRequest) -> str:
    """A user nobody else's test writes to: the real store keeps what it is given."""
    return f"user of {request.node.name}"


def event(
    user_id: str, timestamp_ms: int = DAY_MS, event_id: str = "e1", **changes: object
) -> Event:
    fields = {"item_id": "i1", "event_type": "view"} | changes
    return Event(event_id=event_id, user_id=user_id, timestamp_ms=timestamp_ms, **fields)


def test_an_event_comes_back_whole(store: InteractionStore, user_id: str) -> None:
    whole = event(user_id, quantity=2.5, price=0.1, order_id="Bestellung 7/ü")

    store.append(TENANT, [whole])

    assert store.history(TENANT, user_id) == [whole]


def test_an_event_without_details_comes_back_without_them(
    store: InteractionStore, user_id: str
) -> None:
    store.append(TENANT, [event(user_id)])

    assert store.history(TENANT, user_id) == [event(user_id)]


def test_a_quantity_of_zero_is_not_a_missing_one(store: InteractionStore, user_id: str) -> None:
    store.append(TENANT, [event(user_id, quantity=0.0)])

    assert store.history(TENANT, user_id)[0].quantity == 0


def test_a_replay_is_no_new_event_and_changes_nothing(
    store: InteractionStore, user_id: str
) -> None:
    assert store.append(TENANT, [event(user_id)]) == [True]

    assert store.append(TENANT, [event(user_id, item_id="other")]) == [False]
    assert store.history(TENANT, user_id) == [event(user_id)]


def test_of_the_same_event_twice_in_a_batch_the_first_is_new(
    store: InteractionStore, user_id: str
) -> None:
    batch = [event(user_id), event(user_id, event_id="e2"), event(user_id, item_id="i2")]

    assert store.append(TENANT, batch) == [True, True, False]
    assert {e.item_id for e in store.history(TENANT, user_id)} == {"i1"}


def test_an_empty_batch_is_fine(store: InteractionStore) -> None:
    assert store.append(TENANT, []) == []


def test_a_user_without_events_has_an_empty_history(store: InteractionStore) -> None:
    assert store.history(TENANT, "nobody") == []


def test_history_is_newest_first_whatever_the_order_of_arrival(
    store: InteractionStore, user_id: str
) -> None:
    times = [3, 1, 4_102_444_800_000, 0, 2]

    store.append(TENANT, [event(user_id, time, f"e{time}") for time in times])

    assert [e.timestamp_ms for e in store.history(TENANT, user_id)] == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({}, [30, 20, 10, 0]),
        ({"start_ms": 10}, [30, 20, 10]),
        ({"start_ms": 11}, [30, 20]),
        ({"end_ms": 30}, [20, 10, 0]),
        ({"end_ms": 31}, [30, 20, 10, 0]),
        ({"start_ms": 10, "end_ms": 20}, [10]),
        ({"start_ms": 20, "end_ms": 20}, []),
        ({"start_ms": 30, "end_ms": 10}, []),
        ({"end_ms": 0}, []),
        ({"start_ms": -5}, [30, 20, 10, 0]),
        ({"limit": 2}, [30, 20]),
        ({"limit": 0}, []),
        ({"end_ms": 30, "limit": 1}, [20]),
    ],
)
def test_a_window_begins_at_its_start_and_ends_before_its_end(
    store: InteractionStore, user_id: str, window: dict[str, int], expected: list[int]
) -> None:
    store.append(TENANT, [event(user_id, time, f"e{time}") for time in (0, 10, 20, 30)])

    assert [e.timestamp_ms for e in store.history(TENANT, user_id, **window)] == expected


def test_a_long_history_comes_back_whole(store: InteractionStore, user_id: str) -> None:
    store.append(TENANT, [event(user_id, time, f"e{time}") for time in range(1203)])

    assert [e.timestamp_ms for e in store.history(TENANT, user_id)] == list(range(1202, -1, -1))
    assert len(store.history(TENANT, user_id, limit=700)) == 700


def test_users_and_tenants_do_not_see_each_other(store: InteractionStore, user_id: str) -> None:
    store.append(TENANT, [event(user_id)])
    store.append(TENANT, [event(user_id + "x", event_id="longer name")])

    assert store.history("othershop", user_id) == []
    assert store.history(TENANT, user_id) == [event(user_id)]


@pytest.mark.parametrize("event_id", ["a/b", "ü", "日本", "x" * 256, "🛒" * 256, " "])
def test_ids_are_opaque(store: InteractionStore, event_id: str) -> None:
    strange = event(event_id, event_id=event_id, item_id=event_id)

    store.append(TENANT, [strange])

    assert store.history(TENANT, event_id) == [strange]


def test_find_answers_with_the_times_of_known_event_ids(
    store: InteractionStore, user_id: str
) -> None:
    store.append(TENANT, [event(user_id, 10, "a"), event(user_id, 20, "b"), event(user_id, 5, "c")])

    assert store.find(TENANT, user_id, {"a", "b", "never"}, since_ms=0) == {"a": 10, "b": 20}
    assert store.find(TENANT, user_id, ["a", "b"], since_ms=11) == {"b": 20}
    assert store.find(TENANT, user_id, [], since_ms=0) == {}


def test_find_prefers_the_newest_of_several_times(store: InteractionStore, user_id: str) -> None:
    store.append(TENANT, [event(user_id, 10, "a"), event(user_id, 20, "a")])

    assert store.find(TENANT, user_id, ["a"], since_ms=0) == {"a": 20}
