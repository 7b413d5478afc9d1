import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from recsys.core.domain import Event
from recsys.core.errors import InvalidInput, Unavailable
from recsys.core.purchases import Purchase
from recsys.core.recording import EventDraft, EventStatus, Recorded
from recsys.stores.memory.interactions import MemoryInteractionStore
from recsys.stores.memory.purchases import MemoryPurchaseLog
from recsys.stores.memory.recent import MemoryRecentBehaviour
from services.ingest.record_events import EventRecorder
from tests.builders import EVENT_TYPES
from tests.unit.services.ingest.cold_shop import ColdShop

NOW_MS = 1_700_000_000_000
DAY_MS = 24 * 3600 * 1000


class FlakyRecent(MemoryRecentBehaviour):
    away = False

    def record(self, tenant: str, events: Sequence[Event], received_ms: int) -> None:
        if self.away:
            raise Unavailable("redis", "away")
        super().record(tenant, events, received_ms)


class Shop:
    """A recorder over memory, whose clock the test sets."""

    def __init__(self) -> None:
        self.interactions = MemoryInteractionStore()
        self.recent = FlakyRecent(lambda _: EVENT_TYPES)
        self.cold = ColdShop(self.recent)
        self.purchases = MemoryPurchaseLog()
        self.now_ms = NOW_MS
        self.counts_impressions = False
        ids = itertools.count()
        self.recorder = EventRecorder(
            self.interactions,
            self.recent,
            self.cold.cold_start,
            self.purchases,
            lambda _: EVENT_TYPES,
            clock=lambda: self.now_ms,
            new_event_id=lambda: f"made-{next(ids)}",
            counts_impressions=lambda _: self.counts_impressions,
            windowed_types_of=lambda _: ("purchase",),
        )

    def statuses(self, *drafts: EventDraft) -> list[EventStatus]:
        return [outcome.status for outcome in self.recorder.record("shop", drafts).outcomes]

    def history(self, user_id: str = "ann") -> list[Event]:
        return self.interactions.history("shop", user_id)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def a_draft(**changes: Any) -> EventDraft:
    return EventDraft(**{"user_id": "ann", "item_id": "lamp", "event_type": "view", **changes})


def test_what_is_left_out_is_filled_in(shop: Shop) -> None:
    [outcome] = shop.recorder.record("shop", [a_draft()]).outcomes
    assert (outcome.status, outcome.event_id) == (EventStatus.ACCEPTED, "made-0")
    assert shop.history() == [Event("made-0", "ann", "lamp", "view", NOW_MS)]


def test_an_accepted_event_is_durable_and_remembered(shop: Shop) -> None:
    shop.recorder.record("shop", [a_draft(event_id="e", timestamp_ms=NOW_MS - 5)])
    [recent] = shop.recent.of_user("shop", "ann")
    assert (recent.item_id, recent.timestamp_ms, recent.received_ms) == ("lamp", NOW_MS - 5, NOW_MS)


def test_events_that_change_no_answer_are_durable_and_take_no_place_among_the_recent(
    shop: Shop,
) -> None:
    drafts = [a_draft(event_type=name) for name in ("impression", "purchase", "impression")]
    assert shop.statuses(*drafts) == [EventStatus.ACCEPTED] * 3
    assert len(shop.history()) == 3
    assert [event.event_type for event in shop.recent.of_user("shop", "ann")] == ["purchase"]


def test_a_dead_redis_does_not_degrade_events_that_change_no_answer(shop: Shop) -> None:
    shop.recent.away = True
    recorded = shop.recorder.record("shop", [a_draft(event_type="impression")])
    assert not recorded.degraded


def test_the_same_event_again_is_a_duplicate(shop: Shop) -> None:
    draft = a_draft(event_id="e", timestamp_ms=NOW_MS)
    assert shop.statuses(draft, draft) == [EventStatus.ACCEPTED, EventStatus.DUPLICATE]
    assert shop.statuses(draft) == [EventStatus.DUPLICATE]
    assert len(shop.history()) == 1


def test_a_retry_without_time_is_the_same_event_at_any_time(shop: Shop) -> None:
    shop.statuses(a_draft(event_id="e"))
    for days in (1, 30, 89):
        shop.now_ms = NOW_MS + days * DAY_MS
        assert shop.statuses(a_draft(event_id="e")) == [EventStatus.DUPLICATE]
    assert shop.statuses(a_draft(event_id="new")) == [EventStatus.ACCEPTED]
    assert [event.timestamp_ms for event in shop.history()] == [shop.now_ms, NOW_MS]


@pytest.mark.parametrize(
    "second",
    [{"timestamp_ms": NOW_MS - 2}, {"user_id": "bob"}, {"item_id": "chair"}, {"quantity": 5.0}],
)
def test_an_id_counts_once_whatever_the_second_event_says(
    shop: Shop, second: dict[str, Any]
) -> None:
    first = {"event_id": "e", "timestamp_ms": NOW_MS - 9}
    assert shop.statuses(a_draft(**first), a_draft(**first | second)) == [
        EventStatus.ACCEPTED,
        EventStatus.DUPLICATE,
    ]
    shop.now_ms += DAY_MS
    assert shop.statuses(a_draft(**first | second)) == [EventStatus.DUPLICATE]
    assert shop.history() == [Event("e", "ann", "lamp", "view", NOW_MS - 9)]
    assert shop.history("bob") == []


def test_a_second_event_of_an_id_changes_no_recent_list(shop: Shop) -> None:
    shop.statuses(a_draft(event_id="e"))
    before = shop.recent.of_user("shop", "ann")
    shop.now_ms += 5
    shop.statuses(a_draft(event_id="e", item_id="chair"), a_draft(event_id="e", user_id="bob"))
    assert shop.recent.of_user("shop", "ann") == before
    assert shop.recent.of_user("shop", "bob") == []


def test_a_retry_remembers_the_first_event_as_it_was_received(shop: Shop) -> None:
    shop.recent.away = True
    assert shop.recorder.record("shop", [a_draft(event_id="e")]).degraded
    shop.recent.away = False
    shop.now_ms += DAY_MS
    shop.statuses(
        a_draft(event_id="e", item_id="chair", timestamp_ms=NOW_MS - 5), a_draft(event_id="f")
    )
    first, new = shop.recent.of_user("shop", "ann")
    assert (first.item_id, first.timestamp_ms, first.received_ms) == ("lamp", NOW_MS, NOW_MS)
    assert (new.item_id, new.received_ms) == ("lamp", shop.now_ms)


def test_a_bad_event_does_not_fail_the_others(shop: Shop) -> None:
    recorded = shop.recorder.record(
        "shop",
        [
            a_draft(event_type="teleport", event_id="bad"),
            a_draft(item_id="\0"),
            a_draft(event_id="good"),
            a_draft(timestamp_ms=NOW_MS + 2 * DAY_MS),
            a_draft(quantity=float("nan")),
        ],
    )
    fields = [[problem.field for problem in outcome.problems] for outcome in recorded.outcomes]
    assert fields == [["event_type"], ["item_id"], [], ["timestamp"], ["quantity"]]
    assert recorded.outcomes[0].event_id == "bad"
    assert [event.event_id for event in shop.history()] == ["good"]


def test_all_bad_touches_no_store(shop: Shop) -> None:
    shop.recent.away = True
    recorded = shop.recorder.record("shop", [a_draft(user_id="")])
    assert recorded.outcomes[0].status is EventStatus.REJECTED
    assert not recorded.degraded


def test_an_event_counts_once_in_what_is_popular_before_the_first_model(shop: Shop) -> None:
    viewed = a_draft(event_id="v")
    bought = a_draft(item_id="rug", event_type="purchase")
    shop.statuses(viewed, bought, a_draft(event_type="impression", item_id="chair"))
    for _ in range(20):
        assert shop.statuses(viewed) == [EventStatus.DUPLICATE]
    assert shop.cold.popularity.most_popular("shop", 10) == ["rug", "lamp"]


def test_purchases_are_told_once_to_who_counts_windows(shop: Shop) -> None:
    bought = a_draft(event_id="p", item_id="rug", event_type="purchase")
    shop.statuses(a_draft(item_id="chair"), bought)
    shop.statuses(bought)
    shop.statuses(
        a_draft(item_id="table", event_type="purchase", timestamp_ms=NOW_MS - 2 * DAY_MS),
        a_draft(item_id="lamp", event_type="purchase", timestamp_ms=NOW_MS - DAY_MS),
    )
    _, told = shop.purchases.since("shop", 0)
    assert told == [Purchase.by("ann", "rug"), Purchase.by("ann", "lamp")]


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_has_bounds(shop: Shop, count: int) -> None:
    with pytest.raises(InvalidInput, match="events: must be 1 to 1000"):
        shop.recorder.record("shop", [a_draft()] * count)


def test_a_dead_redis_degrades_and_a_retry_mends(shop: Shop) -> None:
    shop.recent.away = True
    draft = a_draft(event_id="e")
    recorded = shop.recorder.record("shop", [draft])
    assert recorded.degraded
    assert recorded.outcomes[0].status is EventStatus.ACCEPTED
    shop.recent.away = False
    assert shop.statuses(draft) == [EventStatus.DUPLICATE]
    assert len(shop.recent.of_user("shop", "ann")) == 1


def test_a_dead_hbase_fails_the_call(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise Unavailable("hbase", "away")

    monkeypatch.setattr(shop.interactions, "append", away)
    with pytest.raises(Unavailable):
        shop.statuses(a_draft())
    assert shop.recent.of_user("shop", "ann") == []


def test_batches_of_several_callers_are_written_together_and_answered_apart(shop: Shop) -> None:
    writes: list[list[str]] = []
    append = shop.interactions.append

    def counted(tenant: str, events: Sequence[Event], *rest: Any) -> Any:
        writes.append([tenant, *(event.event_id for event in events)])
        return append(tenant, events, *rest)

    shop.interactions.append = counted  # type: ignore[method-assign]
    first, second, other, odd = shop.recorder.record_batches(
        [
            ("shop", [a_draft(event_id="a"), a_draft(event_type="teleport")]),
            ("shop", [a_draft(event_id="a"), a_draft(event_id="b")]),
            ("other", [a_draft(event_id="a")]),
            ("shop", []),
        ]
    )
    assert writes == [["shop", "a", "a", "b"], ["other", "a"]]
    assert _statuses(first) == [EventStatus.ACCEPTED, EventStatus.REJECTED]
    assert _statuses(second) == [EventStatus.DUPLICATE, EventStatus.ACCEPTED]
    assert _statuses(other) == [EventStatus.ACCEPTED]
    assert isinstance(odd, InvalidInput)


def test_a_store_that_fails_for_one_shop_fails_no_other(shop: Shop) -> None:
    append = shop.interactions.append

    def away(tenant: str, *rest: Any) -> Any:
        if tenant == "shop":
            raise Unavailable("hbase", "away")
        return append(tenant, *rest)

    shop.interactions.append = away  # type: ignore[method-assign]
    first, other, second = shop.recorder.record_batches(
        [(tenant, [a_draft()]) for tenant in ("shop", "other", "shop")]
    )
    assert isinstance(first, Unavailable)
    assert isinstance(second, Unavailable)
    assert _statuses(other) == [EventStatus.ACCEPTED]


def test_a_batch_of_a_shop_that_cannot_be_is_refused_alone(shop: Shop) -> None:
    odd, good = shop.recorder.record_batches([("No Shop", [a_draft()]), ("shop", [a_draft()])])
    assert isinstance(odd, InvalidInput)
    assert _statuses(good) == [EventStatus.ACCEPTED]


def _statuses(recorded: Recorded | Exception) -> list[EventStatus]:
    assert isinstance(recorded, Recorded)
    return [outcome.status for outcome in recorded.outcomes]


@pytest.mark.parametrize(("counts", "shown"), [(True, 1), (False, 0)])
def test_impressions_are_remembered_where_lists_tire_of_items(
    shop: Shop, counts: bool, shown: int
) -> None:
    shop.counts_impressions = counts
    shop.statuses(a_draft(event_type="impression"), a_draft())
    assert len(shop.recent.impressions("shop", "ann")) == shown
    assert len(shop.recent.of_user("shop", "ann")) == 1
