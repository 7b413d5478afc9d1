"""HBase, or the way to it, dies while events come in: what was acknowledged is there afterwards."""

import itertools
import json
import time
import uuid
from collections.abc import Sequence

import pytest

from infra.local.stack import Stack
from tests.e2e.load import load
from tests.e2e.load_driver import Answered, Request
from tests.e2e.shop import Shop, purchase
from tests.eventually import eventually
from tests.faults.conftest import PER_SECOND
from tests.faults.table import LoadResult, Table
from tests.stack_fixture import await_health

_EVENTS = "/v1/events"
_SHOPPERS = 20
# Of every four requests one posts an event.
_QUESTIONS_PER_EVENT = 3
_ENOUGH = 60 * PER_SECOND
_RECOVERY_SECONDS = 120


def posts(run: str) -> list[Request]:
    """Each another event, of one of some shoppers."""
    return [
        Request(_EVENTS, "POST", json.dumps({"events": [event]}).encode())
        for event in (
            purchase(f"{run}-{number % _SHOPPERS}", "22423", event_id=f"{run}-{number}")
            for number in range(_ENOUGH)
        )
    ]


def mixed(events: Sequence[Request], questions: Sequence[Request]) -> list[Request]:
    asked = itertools.cycle(questions)
    return [
        request
        for event in events
        for request in (event, *itertools.islice(asked, _QUESTIONS_PER_EVENT))
    ]


@pytest.mark.parametrize("name", ["hbase", "hbase-thrift"])
def test_no_acknowledged_event_is_lost(
    shop: Shop, healed_stack: Stack, asking: Sequence[Request], table: Table, name: str
) -> None:
    run = f"{name}-{uuid.uuid4().hex[:8]}"
    with load(shop, mixed(posts(run), asking), PER_SECOND) as asked:
        asked.await_more(3 * PER_SECOND)
        killed_at = time.monotonic()
        healed_stack.kill(name)
        eventually(lambda: any(map(is_refused, asked.answered)), within_seconds=20)
        await_health(healed_stack)
        back_at = time.monotonic()
        asked.await_more(5 * PER_SECOND)

    outcome = LoadResult(asked.answered).since(killed_at)
    events = LoadResult([one for one in asked.answered if one.path == _EVENTS])
    questions = LoadResult([one for one in outcome.answered if one.path != _EVENTS])
    acknowledged = {event_id for one in events.answered for event_id in taken(one)}
    stored = [
        event.event_id
        for shopper in range(_SHOPPERS)
        for event in shop.stored_events(f"{run}-{shopper}")
    ]
    missing = acknowledged - set(stored)
    refused = [one for one in events.answered if one.status != 200]
    recovery_seconds = events.last(lambda one: one.status != 200, back_at)
    table.add(f"kill -9 {name}: questions", questions, also=f"away for {back_at - killed_at:.0f} s")
    table.add(
        f"kill -9 {name}: events",
        events.since(killed_at),
        recovery_seconds,
        f"{len(missing)} of {len(acknowledged)} acknowledged missing",
    )
    assert missing == set()
    assert len(stored) == len(set(stored))
    assert {one.status for one in refused} == {503}
    assert all(int(one.response.headers[b"retry-after"]) >= 1 for one in refused)
    assert questions.errors == []
    assert questions.ms(0.99) <= 300
    assert recovery_seconds <= 10


def is_refused(one: Answered) -> bool:
    return one.path == _EVENTS and one.status != 200


def taken(one: Answered) -> list[str]:
    """The ids of the events that were acknowledged."""
    if one.status != 200:
        return []
    return [result["event_id"] for result in one.body["results"] if result["status"] != "rejected"]
