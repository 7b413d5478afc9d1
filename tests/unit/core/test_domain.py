import math

import pytest

from recsys.core.domain import Event, Item
from recsys.core.errors import InvalidInput
from recsys.core.event_types import EventType, check_event


def an_event(**changes: object) -> Event:
    values: dict[str, object] = {
        "event_id": "e",
        "user_id": "u",
        "item_id": "i",
        "event_type": "view",
        "timestamp_ms": 1,
    }
    return Event(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("identifier", ["85123A", "a/b", "käse 面", "x" * 256, "50%?#;&", "🎁"])
def test_any_printable_id_is_fine(identifier: str) -> None:
    assert an_event(user_id=identifier, item_id=identifier).user_id == identifier
    assert Item(identifier).item_id == identifier


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("user_id", "", "must not be empty"),
        ("user_id", "a\0b", "control character U+0000 at position 1"),
        ("item_id", "x" * 257, "has 257 characters"),
        ("item_id", "\ud800", "half a surrogate pair"),
        ("event_type", "a\nb", "control character U+000A"),
        ("order_id", "", "must not be empty"),
        ("quantity", math.nan, "finite"),
        ("quantity", -1.0, "between 0"),
        ("price", math.inf, "finite"),
    ],
)
def test_a_bad_field_is_named_with_its_reason(field: str, value: object, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        an_event(**{field: value})
    (problem,) = caught.value.problems
    assert problem.field == field
    assert reason in problem.reason


CONTEXTS = [
    ({f"k{n}": "" for n in range(21)}, "context", "at most 20 entries are allowed"),
    ({"": "home"}, "context.", "its name must match"),
    ({"a b": "home"}, "context.a b", "its name must match"),
    ({"a\n": "home"}, "context.a\n", "its name must match"),
    ({"1st": "home"}, "context.1st", "its name must match"),
    ({"k" * 65: "home"}, f"context.{'k' * 65}", "its name must match"),
    ({"placement": "x" * 257}, "context.placement", "has 257 characters, at most 256 are allowed"),
    ({"placement": "a\0"}, "context.placement", "has the control character U+0000 at position 1"),
]


@pytest.mark.parametrize(("context", "field", "reason"), CONTEXTS)
def test_a_bad_context_is_named_with_its_reason(
    context: dict[str, str], field: str, reason: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        an_event(context=context)
    [problem] = caught.value.problems
    assert problem.field == field
    assert problem.reason.startswith(reason)


def test_a_context_may_be_as_large_as_its_limits() -> None:
    context = {f"k{n:063}": "ü" * 256 for n in range(20)}
    assert an_event(context=context).context == context


@pytest.mark.parametrize("timestamp_ms", [-1, 4_102_444_800_001])
def test_a_time_out_of_range_is_refused(timestamp_ms: int) -> None:
    with pytest.raises(InvalidInput, match="timestamp"):
        an_event(timestamp_ms=timestamp_ms)


def test_all_bad_fields_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        an_event(user_id="", item_id="", quantity=math.nan)
    assert [problem.field for problem in caught.value.problems] == [
        "user_id",
        "item_id",
        "quantity",
    ]


def test_item_parts_are_named_by_path() -> None:
    with pytest.raises(InvalidInput) as caught:
        Item("i", categories=("ok", ""), attributes={"colour": "re\0d", "size": math.nan})
    fields = [problem.field for problem in caught.value.problems]
    assert fields == ["categories.1", "attributes.colour", "attributes.size"]


def test_an_unknown_type_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="is not one of: purchase, view"):
        check_event(
            an_event(event_type="buy"), {"view": EventType(1), "purchase": EventType(1)}, now_ms=0
        )


def test_clocks_may_run_apart_by_a_day_but_not_more() -> None:
    types = {"view": EventType(1)}
    check_event(an_event(timestamp_ms=86_400_000), types, now_ms=0)
    with pytest.raises(InvalidInput, match="24 hours"):
        check_event(an_event(timestamp_ms=86_400_001), types, now_ms=0)
