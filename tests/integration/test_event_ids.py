"""An event id is an identity, whatever happens between its claim and its event."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from recsys.core.domain import Event, ReceivedEvent
from recsys.core.errors import ConfigurationError, Unavailable
from recsys.core.ports import AppendResult
from recsys.stores.hbase import admin, event_writer
from recsys.stores.hbase.interaction_scan import InteractionScan
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.layout import EVENT_IDS, is_imported, table_name
from recsys.stores.hbase.pool import HBasePool, PoolSettings
from recsys.stores.hbase.table import Table
from tests.hbase_fixture import MakeTables

pytestmark = pytest.mark.hbase
TENANT = "claims"
NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000


@pytest.fixture(scope="module", autouse=True)
def tables_of_tenant(make_tables: MakeTables) -> None:
    make_tables(TENANT)


@pytest.fixture
def user_id(request: pytest.FixtureRequest) -> str:
    return f"user of {request.node.name}"


@pytest.fixture
def first(user_id: str) -> Event:
    return Event(f"id of {user_id}", user_id, "i1", "view", 1, quantity=2.0)


@pytest.fixture
def dies_before_the_event(
    hbase_interactions: HBaseInteractionStore, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Calls the store, which is gone as soon as the ids are claimed."""

    def gone(*_: object, **__: object) -> int:
        raise Unavailable("hbase", "gone")

    def call(method: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Table, "put", gone)
            with pytest.raises(Unavailable, match="gone"):
                method(*arguments, **named)

    return call


def arrivals(pool: HBasePool, user_id: str) -> list[int]:
    """When a user's events were received, as their cells say."""
    scan = InteractionScan(pool, TENANT)
    return [
        each.received_ms
        for key_range in scan.ranges()
        for events in scan.read_received(key_range, 0, 0)
        for each in events
        if each.event.user_id == user_id
    ]


def test_a_claim_of_before_contexts_is_mended_like_any_other(
    hbase_interactions: HBaseInteractionStore,
    dies_before_the_event: Callable[..., None],
    first: Event,
) -> None:
    """Renewing a claim compares its bytes: those of an event without context are what they were."""
    dies_before_the_event(hbase_interactions.append, TENANT, [first], NOW_MS)

    late = NOW_MS + int(event_writer.WRITE_SECONDS * 1000) + 1
    [result] = hbase_interactions.append(TENANT, [first], late)

    assert result == AppendResult(ReceivedEvent(first, late), is_new=False)


def test_a_claimed_event_is_mended_with_what_releases_before_do_not_know(
    hbase_interactions: HBaseInteractionStore,
    dies_before_the_event: Callable[..., None],
    first: Event,
) -> None:
    whole = replace(first, context={"placement": "home"}, rating=0.5, query="blue")
    dies_before_the_event(hbase_interactions.append, TENANT, [whole], NOW_MS)
    hbase_interactions.append(TENANT, [first], NOW_MS + 100)
    assert hbase_interactions.history(TENANT, first.user_id) == [whole]


def test_a_crash_between_claim_and_event_is_mended_by_the_retry(
    hbase_interactions: HBaseInteractionStore,
    dies_before_the_event: Callable[..., None],
    first: Event,
) -> None:
    dies_before_the_event(hbase_interactions.append, TENANT, [first], NOW_MS)
    assert hbase_interactions.history(TENANT, first.user_id) == []

    retry = replace(first, timestamp_ms=DAY_MS, item_id="other")
    results = hbase_interactions.append(TENANT, [retry], NOW_MS + 100)

    assert results == [AppendResult(ReceivedEvent(first, NOW_MS), is_new=False)]
    assert hbase_interactions.history(TENANT, first.user_id) == [first]


def test_a_retry_long_after_the_crash_is_received_when_it_comes(
    hbase_pool: HBasePool,
    hbase_interactions: HBaseInteractionStore,
    dies_before_the_event: Callable[..., None],
    first: Event,
) -> None:
    """Or a nightly run in between would have passed it over, and the recent list as well."""
    dies_before_the_event(hbase_interactions.append, TENANT, [first], NOW_MS)
    later = [NOW_MS + DAY_MS + number for number in range(4)]

    with ThreadPoolExecutor(len(later)) as threads:
        answers = threads.map(
            lambda now_ms: hbase_interactions.append(TENANT, [first], now_ms), later
        )
        stored = {result.stored for [result] in answers}

    [one] = stored
    assert one.event == first
    assert one.received_ms in later
    assert arrivals(hbase_pool, first.user_id) == [one.received_ms]


def test_an_import_brings_the_event_that_a_dead_request_claimed(
    hbase_pool: HBasePool,
    hbase_interactions: HBaseInteractionStore,
    dies_before_the_event: Callable[..., None],
    first: Event,
) -> None:
    dies_before_the_event(hbase_interactions.append, TENANT, [first], NOW_MS - DAY_MS * 999)

    assert hbase_interactions.put_many(TENANT, [first], ids_given=True) == 0

    assert hbase_interactions.history(TENANT, first.user_id) == [first]
    [arrival] = arrivals(hbase_pool, first.user_id)
    assert is_imported(arrival)


def test_a_request_brings_the_event_that_a_dead_import_claimed(
    hbase_interactions: HBaseInteractionStore,
    dies_before_the_event: Callable[..., None],
    first: Event,
) -> None:
    dies_before_the_event(hbase_interactions.put_many, TENANT, [first], ids_given=True)

    now_ms = time.time_ns() // 1_000_000
    [result] = hbase_interactions.append(TENANT, [replace(first, user_id="other")], now_ms)

    assert (result.stored.event, result.is_new) == (first, False)
    assert is_imported(result.stored.received_ms)
    assert hbase_interactions.history(TENANT, first.user_id) == [first]


def test_a_request_long_after_a_dead_import_is_received_when_it_comes(
    hbase_interactions: HBaseInteractionStore,
    dies_before_the_event: Callable[..., None],
    first: Event,
) -> None:
    """Or the next night would read what was imported since the last one, and miss it."""
    dies_before_the_event(hbase_interactions.put_many, TENANT, [first], ids_given=True)
    late_ms = time.time_ns() // 1_000_000 + DAY_MS

    [result] = hbase_interactions.append(TENANT, [first], late_ms)

    assert result == AppendResult(ReceivedEvent(first, late_ms), is_new=False)


def test_what_took_too_long_to_claim_is_not_written(
    hbase_interactions: HBaseInteractionStore, monkeypatch: pytest.MonkeyPatch, first: Event
) -> None:
    """A scan may have begun that counts on what was received before being there."""
    with monkeypatch.context() as patch:
        patch.setattr(event_writer, "WRITE_SECONDS", -1.0)
        with pytest.raises(Unavailable, match="too long"):
            hbase_interactions.append(TENANT, [first], NOW_MS)

    assert hbase_interactions.history(TENANT, first.user_id) == []


def test_an_attempt_that_a_broken_connection_repeats_is_still_new(
    hbase_interactions: HBaseInteractionStore, monkeypatch: pytest.MonkeyPatch, first: Event
) -> None:
    put_missing = Table.put_missing

    def twice(table: Table, *arguments: Any) -> set[bytes]:
        put_missing(table, *arguments)
        return put_missing(table, *arguments)

    monkeypatch.setattr(Table, "put_missing", twice)

    [result] = hbase_interactions.append(TENANT, [first], NOW_MS)

    assert result.is_new
    assert hbase_interactions.history(TENANT, first.user_id) == [first]


def test_of_many_who_send_the_same_ids_through_two_replicas_exactly_one_is_new(
    hbase: str, hbase_pool: HBasePool, first: Event
) -> None:
    batch = [replace(first, event_id=f"{first.event_id} {number}") for number in range(120)]
    senders = 8
    begin = threading.Barrier(senders)

    with (
        closing(HBasePool(hbase, PoolSettings(size=senders))) as other,
        ThreadPoolExecutor(senders) as threads,
    ):

        def send(number: int) -> dict[str, AppendResult]:
            store = HBaseInteractionStore((hbase_pool, other)[number % 2])
            # From both ends, and each event as its sender says it was.
            events = [replace(event, timestamp_ms=2 + number) for event in batch]
            begin.wait(timeout=10)
            results = store.append(TENANT, events[:: -1 if number % 4 > 1 else 1], NOW_MS + number)
            return {each.stored.event.event_id: each for each in results}

        answers = list(threads.map(send, range(senders)))

    for event in batch:
        of_one_id = [answer[event.event_id] for answer in answers]
        assert sum(result.is_new for result in of_one_id) == 1
        assert len({result.stored for result in of_one_id}) == 1
    history = HBaseInteractionStore(hbase_pool).history(TENANT, first.user_id)
    assert len(history) == len(batch)


def test_a_batch_cut_short_gets_further_when_it_is_sent_again(
    hbase_interactions: HBaseInteractionStore, monkeypatch: pytest.MonkeyPatch, first: Event
) -> None:
    batch = [replace(first, event_id=f"{first.event_id} {number}") for number in range(250)]
    put, calls = Table.put, Counter[str]()

    def dies_at_the_second(table: Table, *arguments: Any, **named: Any) -> int:
        calls["put"] += 1
        if calls["put"] == 2:
            raise Unavailable("hbase", "gone")
        return put(table, *arguments, **named)

    put_missing = Table.put_missing

    def counted(table: Table, cells: dict[bytes, bytes], column: bytes) -> set[bytes]:
        calls["claims"] += len(cells)
        return put_missing(table, cells, column)

    monkeypatch.setattr(Table, "put", dies_at_the_second)
    with pytest.raises(Unavailable, match="gone"):
        hbase_interactions.append(TENANT, batch, NOW_MS)
    monkeypatch.setattr(Table, "put_missing", counted)
    results = hbase_interactions.append(TENANT, batch, NOW_MS)

    assert [result.is_new for result in results] == [False] * 200 + [True] * 50
    assert len(hbase_interactions.history(TENANT, first.user_id)) == 250
    # The first hundred tell that the batch was sent before; the other ids are read first.
    assert calls["claims"] == 100 + 50


def test_importing_again_leaves_an_event_received_where_it_was(
    hbase_pool: HBasePool, hbase_interactions: HBaseInteractionStore, first: Event
) -> None:
    hbase_interactions.append(TENANT, [first], NOW_MS)

    hbase_interactions.put_many(TENANT, [first], ids_given=True)
    hbase_interactions.put_many(TENANT, [first], ids_given=False)

    assert arrivals(hbase_pool, first.user_id) == [NOW_MS]


def test_claims_expire_after_the_days_that_are_promised(hbase_admin: str) -> None:
    namespace, _, name = table_name(TENANT, EVENT_IDS).partition(b":")
    with admin._admin(hbase_admin) as client:
        table = client.getTableDescriptor(admin._idl.TTableName(ns=namespace, qualifier=name))

    assert int(table.columns[0].attributes[b"TTL"]) == 90 * 24 * 3600


def test_a_tenant_that_lacks_the_table_of_ids_is_told_what_to_run(
    hbase_interactions: HBaseInteractionStore, monkeypatch: pytest.MonkeyPatch, first: Event
) -> None:
    monkeypatch.setattr(event_writer, "EVENT_IDS", "event_ids_of_old")

    with pytest.raises(ConfigurationError, match="recsys tables create --tenant claims"):
        hbase_interactions.append(TENANT, [first], int(time.time() * 1000))
