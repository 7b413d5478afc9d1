"""What is read in one step is what `event_requests` reads, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recsys.core.recording import EventDraft
from services.gateway.schemas.event_requests import EVENT_EXAMPLE, read_batch, read_event
from services.gateway.schemas.hot_events import read_good_batch

GOOD = {"user_id": "ann", "item_id": "lamp", "event_type": "view"}
_IDS = st.one_of(st.text(max_size=4), st.sampled_from(["x" * 256, "x" * 257, "☕", "a\0"]))
_NUMBERS = st.one_of(
    st.floats(), st.integers(-2, 2), st.sampled_from([10**12, 10**12 + 1, 10**400, True])
)
_TIMES = st.one_of(
    st.sampled_from(
        [1_700_000_000_000, 1_700_000_000, 1.7e12, 1.5, "2026-01-31T12:00:00Z", "2026-01-31", True]
    ),
    st.integers(),
)
_ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.none()))
_CONTEXTS = st.one_of(
    st.dictionaries(st.sampled_from(["placement", "a b", "", "x" * 65, "ok.1"]), _IDS, max_size=3),
    st.just({f"name{n}": "x" for n in range(21)}),
    _ANYTHING,
)
_FIELDS = {
    **dict.fromkeys(("user_id", "item_id", "event_type", "event_id", "order_id"), _IDS),
    **dict.fromkeys(("quantity", "price", "rating"), _NUMBERS),
    "query": st.one_of(_IDS, st.sampled_from(["y" * 500, "y" * 501, "tea light"])),
    "timestamp": _TIMES,
    "context": _CONTEXTS,
    "colour": _ANYTHING,
}
_EVENTS = st.fixed_dictionaries({}, optional=_FIELDS).map(lambda changes: {**GOOD, **changes})


def read_slowly(body: bytes) -> list[EventDraft] | None:
    """By pydantic; None for a batch that has a fault anywhere."""
    try:
        read = [read_event(event) for event in read_batch(json.loads(body))]
    except Exception:
        return None
    events = [event for event in read if isinstance(event, EventDraft)]
    return events if len(events) == len(read) else None


@given(st.lists(_EVENTS | _ANYTHING, max_size=3), st.booleans())
@example([{**GOOD, "event_id": None, "timestamp": None, "quantity": 2, "order_id": None}], True)
@example([dict(EVENT_EXAMPLE)], False)
@example([], True)
def test_a_batch_is_read_as_by_the_schema_or_left_to_it(
    events: list[Any], ascii_only: bool
) -> None:
    body = json.dumps({"events": events}, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    found = read_good_batch(body)
    if found is not None:
        assert found == read_slowly(body)


@given(st.lists(st.sampled_from(sorted(_FIELDS)), max_size=6), st.data())
def test_what_the_schema_takes_is_read_in_one_step(names: list[str], data: st.DataObject) -> None:
    body = json.dumps({"events": [GOOD | {n: data.draw(_FIELDS[n]) for n in names}]}).encode()
    slowly = read_slowly(body)
    # Whole numbers written with a point are times, too; they are rare enough to go the long way.
    is_float_time = isinstance(json.loads(body)["events"][0].get("timestamp"), float)
    assert read_good_batch(body) == slowly or is_float_time


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"events": []}',
        b'{"events": [{}], "more": 1}',
        b'{"events": ' + b"[" * 100_000,
        b'{"events": [{"user_id": "\xff"}]}',
        b'{"events": [{"user_id": "\\ud800", "item_id": "lamp", "event_type": "view"}]}',
        json.dumps({"events": [GOOD] * 1001}).encode(),
    ],
)
def test_a_body_with_a_fault_is_left_to_the_schema(body: bytes) -> None:
    assert read_good_batch(body) is None


def test_of_a_name_that_stands_twice_the_last_counts() -> None:
    body = b'{"events": [{"user_id": "a", "user_id": "b", "item_id": "i", "event_type": "view"}]}'
    assert read_good_batch(body) == read_slowly(body) == [EventDraft("b", "i", "view")]
