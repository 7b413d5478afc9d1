"""Contract of InteractionStore, real and in memory."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from recsys.core.domain import Event, ReceivedEvent
from recsys.core.ports import AppendResult, InteractionStore
from recsys.stores.memory.interactions import MemoryInteractionStore

DAY_MS = 24 * 3600 * 1000
TENANT = "shop"
NOW_MS = 1_800_000_000_000


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
    """An event whose id no other test uses, since ids are known for longer than tests last."""
    fields = {"item_id": "i1", "event_type": "view"} | changes
    return Event(f"{user_id}: {event_id}", user_id=user_id, timestamp_ms=timestamp_ms, **fields)


def are_new(results: Sequence[AppendResult]) -> list[bool]:
    return [result.is_new for result in results]


def test_an_event_comes_back_whole(store: InteractionStore, user_id: str) -> None:
    whole = event(
        user_id,
        quantity=2.5,
        price=0.1,
        order_id="Bestellung 7/ü",
        rating=0.0,
        query="blaue Tasse",
    )

    store.append(TENANT, [whole], NOW_MS)

    assert store.history(TENANT, user_id) == [whole]


def test_an_event_comes_back_with_its_context(store: InteractionStore, user_id: str) -> None:
    context = {"placement": "home", "variant": "b", "note": 'Größe "XL"', "empty": ""}
    whole = event(user_id, context=context)

    store.append(TENANT, [whole], NOW_MS)

    [found] = store.history(TENANT, user_id)
    assert found == whole
    assert found.context == context


def test_an_id_counts_once_whatever_its_context(store: InteractionStore, user_id: str) -> None:
    first = event(user_id, context={"placement": "home"})
    store.append(TENANT, [first], NOW_MS)

    [result] = store.append(TENANT, [event(user_id, context={"placement": "basket"})], NOW_MS + 1)

    assert (result.is_new, result.stored.event) == (False, first)
    assert store.history(TENANT, user_id) == [first]


def test_an_event_without_details_comes_back_without_them(
    store: InteractionStore, user_id: str
) -> None:
    store.append(TENANT, [event(user_id)], NOW_MS)

    assert store.history(TENANT, user_id) == [event(user_id)]


def test_a_quantity_of_zero_is_not_a_missing_one(store: InteractionStore, user_id: str) -> None:
    store.append(TENANT, [event(user_id, quantity=0.0)], NOW_MS)

    assert store.history(TENANT, user_id)[0].quantity == 0


def test_a_replay_is_no_new_event_and_changes_nothing(
    store: InteractionStore, user_id: str
) -> None:
    assert are_new(store.append(TENANT, [event(user_id)], NOW_MS)) == [True]

    assert are_new(store.append(TENANT, [event(user_id)], NOW_MS + 1)) == [False]
    assert store.history(TENANT, user_id) == [event(user_id)]


def test_of_the_same_event_twice_in_a_batch_the_first_is_new(
    store: InteractionStore, user_id: str
) -> None:
    batch = [event(user_id), event(user_id, event_id="e2"), event(user_id, item_id="i2")]

    results = store.append(TENANT, batch, NOW_MS)

    assert are_new(results) == [True, True, False]
    assert results[2].stored.event == batch[0]
    assert {e.item_id for e in store.history(TENANT, user_id)} == {"i1"}


def test_an_empty_batch_is_fine(store: InteractionStore) -> None:
    assert store.append(TENANT, [], NOW_MS) == []


def test_a_user_without_events_has_an_empty_history(store: InteractionStore) -> None:
    assert store.history(TENANT, "nobody") == []


def test_history_is_newest_first_whatever_the_order_of_arrival(
    store: InteractionStore, user_id: str
) -> None:
    times = [3, 1, 4_102_444_800_000, 0, 2]

    store.append(TENANT, [event(user_id, time, f"e{time}") for time in times], NOW_MS)

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
    store.append(TENANT, [event(user_id, time, f"e{time}") for time in (0, 10, 20, 30)], NOW_MS)

    assert [e.timestamp_ms for e in store.history(TENANT, user_id, **window)] == expected


def test_a_long_history_comes_back_whole(store: InteractionStore, user_id: str) -> None:
    store.put_many(
        TENANT, [event(user_id, time, f"e{time}") for time in range(1203)], ids_given=False
    )

    assert [e.timestamp_ms for e in store.history(TENANT, user_id)] == list(range(1202, -1, -1))
    assert len(store.history(TENANT, user_id, limit=700)) == 700


def test_users_and_tenants_do_not_see_each_other(store: InteractionStore, user_id: str) -> None:
    store.append(TENANT, [event(user_id)], NOW_MS)
    store.append(TENANT, [event(user_id + "x", event_id="longer name")], NOW_MS)
    store.append("othershop", [event(user_id + "y")], NOW_MS)

    assert store.history("othershop", user_id) == []
    assert store.history(TENANT, user_id) == [event(user_id)]


@pytest.mark.parametrize("event_id", ["a/b", "ü", "日本", "x" * 256, "🛒" * 256, " "])
def test_ids_are_opaque(store: InteractionStore, event_id: str) -> None:
    strange = Event(event_id, event_id, event_id, "view", DAY_MS)

    store.append(TENANT, [strange], NOW_MS)

    assert store.history(TENANT, event_id) == [strange]


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp_ms": DAY_MS + 1},
        {"timestamp_ms": 60 * DAY_MS},
        {"user_id": "another user"},
        {"item_id": "i2", "event_type": "purchase", "quantity": 3.0},
    ],
)
def test_an_event_id_counts_once_whatever_else_its_events_say(
    store: InteractionStore, user_id: str, changes: dict[str, object]
) -> None:
    first = event(user_id, price=2.5)
    second = replace(first, **changes)  # type: ignore[arg-type]
    store.append(TENANT, [first], NOW_MS)

    assert store.append(TENANT, [second], NOW_MS + DAY_MS) == [
        AppendResult(ReceivedEvent(first, NOW_MS), is_new=False)
    ]
    assert store.history(TENANT, user_id) == [first]
    assert store.history(TENANT, "another user") == []


def test_an_event_id_is_an_identity_within_a_tenant(store: InteractionStore, user_id: str) -> None:
    store.append(TENANT, [event(user_id)], NOW_MS)

    assert are_new(store.append("othershop", [event(user_id)], NOW_MS)) == [True]


def test_equal_ids_in_a_batch_are_one_event(store: InteractionStore, user_id: str) -> None:
    batch = [event(user_id, time) for time in (5, 7, 5)]

    assert are_new(store.append(TENANT, batch, NOW_MS)) == [True, False, False]
    assert store.history(TENANT, user_id) == batch[:1]


def test_of_equal_ids_at_the_same_moment_one_is_new_and_all_agree(
    store: InteractionStore, user_id: str
) -> None:
    names = [f"{user_id} {number}" for number in range(4)]

    def append(number: int) -> list[AppendResult]:
        ids = range(10)
        batch = [replace(event(user_id, number, f"{at}"), user_id=names[number]) for at in ids]
        return store.append(TENANT, batch, NOW_MS + number)

    with ThreadPoolExecutor(len(names)) as threads:
        answers = list(threads.map(append, range(len(names))))

    for of_one_id in zip(*answers, strict=True):
        assert sum(are_new(of_one_id)) == 1
        assert len({result.stored for result in of_one_id}) == 1
    assert sum(len(store.history(TENANT, name)) for name in names) == 10


def test_an_event_whose_id_was_made_is_stored_without_asking(
    store: InteractionStore, user_id: str
) -> None:
    batch = [event(user_id, 1, "given"), event(user_id, 2, "made"), event(user_id, 3, "given")]

    results = store.append(TENANT, batch, NOW_MS, made_ids={batch[1].event_id})

    assert are_new(results) == [True, True, False]
    assert store.history(TENANT, user_id) == [batch[1], batch[0]]


def test_imported_events_are_stored(store: InteractionStore, user_id: str) -> None:
    events = [event(user_id, time, f"e{time}") for time in range(1203)]

    assert store.put_many(TENANT, iter(events), ids_given=False) == 1203
    assert store.put_many(TENANT, events, ids_given=False) == 1203
    assert store.history(TENANT, user_id) == events[::-1]


def test_an_event_id_counts_once_across_import_and_append(
    store: InteractionStore, user_id: str
) -> None:
    imported = [event(user_id, time, f"e{time}") for time in range(3)]
    assert store.put_many(TENANT, [*imported, event(user_id, 9, "e0")], ids_given=True) == 3
    [repeated, appended] = store.append(
        TENANT, [event(user_id, 7, "e1"), event(user_id, 8, "e8")], NOW_MS
    )

    assert (repeated.is_new, repeated.stored.event) == (False, imported[1])
    assert appended.is_new
    assert store.put_many(TENANT, [event(user_id, 10, "e8")], ids_given=True) == 0
    assert [e.timestamp_ms for e in store.history(TENANT, user_id)] == [8, 2, 1, 0]


def test_events_that_are_reassigned_and_removed_are_the_other_users(
    store: InteractionStore, user_id: str
) -> None:
    events = [event(user_id, timestamp_ms=n, event_id=f"e{n}", price=0.5) for n in (3, 2, 1)]
    own = event(f"{user_id} 2", timestamp_ms=2, event_id="own")
    store.append(TENANT, [*events, own], NOW_MS)

    for _ in range(2):
        store.reassign(TENANT, events, f"{user_id} 2", NOW_MS + 1)
        store.remove(TENANT, events, NOW_MS + 1)

    assert store.history(TENANT, user_id) == []
    found = store.history(TENANT, f"{user_id} 2")
    moved = [replace(each, user_id=f"{user_id} 2") for each in events]
    assert sorted(found, key=lambda each: each.event_id) == sorted(
        [*moved, own], key=lambda each: each.event_id
    )


def test_an_event_sent_again_after_it_was_reassigned_is_the_other_users(
    store: InteractionStore, user_id: str
) -> None:
    first = event(user_id)
    store.append(TENANT, [first], NOW_MS)
    store.reassign(TENANT, [first], f"{user_id} 2", NOW_MS + 1)
    store.remove(TENANT, [first], NOW_MS + 1)

    [again] = store.append(TENANT, [first], NOW_MS + 2)

    assert not again.is_new
    assert again.stored == ReceivedEvent(replace(first, user_id=f"{user_id} 2"), NOW_MS + 1)
    assert store.history(TENANT, user_id) == []
    assert len(store.history(TENANT, f"{user_id} 2")) == 1


def test_a_user_whose_events_moved_may_come_again(store: InteractionStore, user_id: str) -> None:
    first = event(user_id)
    store.append(TENANT, [first], NOW_MS)
    store.reassign(TENANT, [first], f"{user_id} 2", NOW_MS + 1)
    store.remove(TENANT, [first], NOW_MS + 1)

    later = event(user_id, event_id="later")
    store.append(TENANT, [later], NOW_MS + 2)

    assert store.history(TENANT, user_id) == [later]


def test_events_that_are_erased_are_gone_with_their_ids(
    store: InteractionStore, user_id: str
) -> None:
    events = [event(user_id, timestamp_ms=n, event_id=f"e{n}", price=0.5) for n in (3, 2, 1)]
    kept = event(f"{user_id} 2", event_id="kept")
    now_ms = int(time.time() * 1000)
    store.append(TENANT, [*events, kept], now_ms)

    for _ in range(2):
        store.erase(TENANT, events, now_ms + 1)

    assert store.history(TENANT, user_id) == []
    assert store.history(TENANT, f"{user_id} 2") == [kept]
    assert are_new(store.append(TENANT, [replace(kept, user_id="another")], now_ms)) == [False]
    later = [replace(each, user_id=f"{user_id} 3") for each in events]
    assert are_new(store.append(TENANT, later, now_ms + 120_000)) == [True] * 3


def test_an_id_that_stands_for_another_users_event_outlives_the_one_erased(
    store: InteractionStore, user_id: str
) -> None:
    first = event(user_id)
    now_ms = int(time.time() * 1000)
    store.append(TENANT, [first], now_ms)
    store.reassign(TENANT, [first], f"{user_id} 2", now_ms + 1)
    store.erase(TENANT, [first], now_ms + 1)

    assert are_new(store.append(TENANT, [first], now_ms + 2)) == [False]
    assert len(store.history(TENANT, f"{user_id} 2")) == 1


def test_what_was_erased_or_moved_may_come_back_at_once(
    store: InteractionStore, user_id: str
) -> None:
    first, other = event(user_id, event_id="e1"), f"{user_id} 2"
    moved, now_ms = replace(first, user_id=other), int(time.time() * 1000)
    store.append(TENANT, [first], now_ms)
    store.reassign(TENANT, [first], other, now_ms + 1)
    store.remove(TENANT, [first], now_ms + 1)
    store.reassign(TENANT, [moved], user_id, now_ms + 2)
    store.remove(TENANT, [moved], now_ms + 2)
    assert (store.history(TENANT, user_id), store.history(TENANT, other)) == ([first], [])

    store.erase(TENANT, [first], now_ms + 3)

    assert are_new(store.append(TENANT, [first], now_ms + 4)) == [True]
    assert store.history(TENANT, user_id) == [first]
    assert are_new(store.append(TENANT, [replace(first, item_id="i2")], now_ms + 5)) == [False]


def test_imported_events_are_removed_and_others_stay(store: InteractionStore, user_id: str) -> None:
    received = event(user_id, timestamp_ms=5, event_id="received")
    imported = [event(user_id, timestamp_ms=n, event_id=f"e{n}", price=0.5) for n in (3, 2, 1)]
    elsewhere = event(f"{user_id} 2", event_id="moved")
    store.append(TENANT, [received], NOW_MS)
    store.put_many(TENANT, [received, *imported, elsewhere], ids_given=True)
    store.reassign(TENANT, [elsewhere], user_id, NOW_MS + 1)
    store.remove(TENANT, [elsewhere], NOW_MS + 1)
    file = [received, *imported[:2], imported[0], elsewhere]

    assert store.remove_imported(TENANT, file, NOW_MS) == 2

    left = [replace(elsewhere, user_id=user_id), received, imported[2]]
    assert store.history(TENANT, user_id) == left
    assert store.remove_imported(TENANT, file, NOW_MS) == 0
    # Their ids stand for nothing any more: what a mended file says is what is stored.
    mended = [replace(each, user_id=f"{user_id} 3") for each in imported]
    assert store.put_many(TENANT, mended, ids_given=True) == 2
    assert store.history(TENANT, f"{user_id} 3") == mended[:2]


def test_what_was_imported_without_ids_can_be_removed_and_imported_again(
    store: InteractionStore, user_id: str
) -> None:
    imported = [event(user_id, timestamp_ms=n, event_id=f"e{n}") for n in (2, 1)]
    store.put_many(TENANT, imported, ids_given=False)
    assert store.remove_imported(TENANT, imported, NOW_MS) == 2
    # Imports are stamped to the second, and one takes longer than that to begin.
    time.sleep(1.1)

    store.put_many(TENANT, imported, ids_given=False)

    assert store.history(TENANT, user_id) == imported
