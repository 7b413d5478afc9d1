"""The formula of strength, factor by factor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import InvalidInput
from recsys.core.event_types import EventType, check_event, counted_details, details_that_count
from recsys.core.strength import (
    MAX_RATIO,
    MIN_RATIO,
    EventColumns,
    decay,
    event_strengths,
    popularity_strengths,
    undecayed_strengths,
    weight_of,
)
from recsys.core.times import MS_PER_DAY
from tests.builders import EVENT_TYPES, an_event

BY_PIECES = EventType(2.0, quantity_exponent=0.5)
BY_PRICE = EventType(3.0, price_exponent=0.25, typical_price=10.0)
BY_STARS = EventType(2.0, rating_scale=(1.0, 5.0), rating_counts=True)
VIEW = EventType(0.2)


def columns(kind: EventType, quantity: float = np.nan, price: float = np.nan) -> EventColumns:
    return EventColumns([VIEW, kind], np.array([1]), None, np.array([quantity]), np.array([price]))


@pytest.mark.parametrize(("age_days", "left"), [(0, 1.0), (30, 0.5), (60, 0.25), (-5, 1.0)])
def test_an_event_loses_half_its_weight_every_half_life(age_days: float, left: float) -> None:
    assert decay(age_days * MS_PER_DAY, half_life_days=30) == pytest.approx(left)


def test_quantity_and_price_multiply_the_weight_by_their_powers() -> None:
    assert undecayed_strengths(columns(BY_PIECES, quantity=9)) == pytest.approx([2.0 * 3])
    assert undecayed_strengths(columns(BY_PRICE, price=160)) == pytest.approx([3.0 * 2])


def test_what_is_missing_counts_as_one_piece_at_the_typical_price() -> None:
    assert undecayed_strengths(columns(BY_PIECES)).tolist() == [2.0]
    assert undecayed_strengths(columns(BY_PRICE)).tolist() == [3.0]
    assert undecayed_strengths(columns(BY_PRICE, price=10.0)).tolist() == [3.0]


def test_types_without_exponents_ignore_both() -> None:
    assert undecayed_strengths(columns(EventType(1.0), quantity=50, price=7)).tolist() == [1.0]
    mixed = EventColumns(
        [VIEW, BY_PIECES, BY_PRICE],
        np.array([0, 1, 2]),
        quantities=np.array([4.0, 4.0, 4.0]),
        prices=np.array([160.0, 160.0, 160.0]),
    )
    assert undecayed_strengths(mixed) == pytest.approx([0.2, 4.0, 6.0])


@pytest.mark.parametrize(("quantity", "counted"), [(0.0, MIN_RATIO), (1e12, MAX_RATIO)])
def test_zero_and_typing_errors_stay_within_bounds(quantity: float, counted: float) -> None:
    expected = undecayed_strengths(columns(BY_PIECES, quantity=counted))
    assert undecayed_strengths(columns(BY_PIECES, quantity=quantity)).tolist() == expected.tolist()


def test_a_value_multiplies_whatever_else_counts() -> None:
    events = EventColumns(
        [BY_PIECES], np.array([0, 0]), np.array([3, -1], np.float32), np.array([4.0, np.nan])
    )
    assert undecayed_strengths(events) == pytest.approx([12.0, -2.0])


def test_a_type_may_fade_by_its_own_half_life() -> None:
    kinds = [EventType(1.0), EventType(1.0, half_life_days=5.0), EventType(1.0, half_life_days=40)]
    events = EventColumns(kinds, np.array([0, 1, 2]))
    ages_ms = np.full(3, 20 * MS_PER_DAY)
    assert event_strengths(events, ages_ms, 10.0) == pytest.approx([2**-2, 2**-4, 2**-0.5])
    # What is popular now is not what a type with a long memory remembers.
    assert popularity_strengths(events, ages_ms, 10.0) == pytest.approx([2**-2, 2**-4, 2**-2])


def test_a_hundred_pieces_of_long_ago_are_not_popular_now() -> None:
    events = columns(BY_PIECES, quantity=100)
    assert popularity_strengths(events, [20 * MS_PER_DAY], 10.0) == pytest.approx([2.0 / 4])


@given(
    st.floats(0, 1e12) | st.just(np.nan),
    st.floats(0, 1e12) | st.just(np.nan),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(1e-3, 1e12),
)
def test_no_quantity_and_no_price_blows_up(
    quantity: float, price: float, a: float, b: float, typical: float
) -> None:
    kind = EventType(-1.0, quantity_exponent=a, price_exponent=b, typical_price=typical)
    [found] = undecayed_strengths(columns(kind, quantity, price))
    assert -(MAX_RATIO**2) <= found <= -(MIN_RATIO**2)


def test_only_details_that_count_are_asked_for() -> None:
    assert details_that_count([VIEW]) == []
    assert details_that_count([VIEW, BY_PIECES]) == ["quantity"]
    assert details_that_count([BY_PIECES, BY_PRICE]) == ["quantity", "price"]
    assert details_that_count([VIEW, BY_STARS]) == ["rating"]


def test_an_event_has_only_the_details_that_its_type_counts() -> None:
    said = {"quantity": 3.0, "price": 2.5, "rating": 4.0}
    types = {"order": BY_PIECES, "gift": BY_PRICE, "review": BY_STARS, "view": VIEW}
    found = {name: counted_details(an_event(event_type=name, **said), types) for name in types}
    assert found == {
        "order": (3.0, None, None),
        "gift": (None, 2.5, None),
        "review": (None, None, 4.0),
        "view": (None, None, None),
    }
    unknown = an_event(event_type="unheard of", **said)
    assert counted_details(unknown, EVENT_TYPES) == (None, None, None)


@pytest.mark.parametrize(
    ("rating", "counted"),
    [(5.0, 2.0), (4.0, 1.0), (3.0, 0.0), (2.0, -1.0), (1.0, -2.0), (np.nan, 2.0), (10.0, 2.0)],
)
def test_a_rating_counts_by_how_far_it_is_above_the_middle_of_its_scale(
    rating: float, counted: float
) -> None:
    events = EventColumns([VIEW, BY_STARS], np.array([1]), ratings=np.array([rating]))
    assert undecayed_strengths(events) == pytest.approx([counted])
    assert popularity_strengths(events, 0, 10.0) == pytest.approx([counted])
    assert weight_of(BY_STARS, None if np.isnan(rating) else rating) == pytest.approx(counted)


def test_the_rating_of_a_type_that_does_not_count_it_is_ignored() -> None:
    kind = EventType(2.0, rating_scale=(1.0, 5.0))
    events = EventColumns([kind, BY_STARS], np.array([0, 1]), ratings=np.array([1.0, 1.0]))
    assert undecayed_strengths(events).tolist() == [2.0, -2.0]
    assert weight_of(kind, 1.0) == 2.0


def test_a_rating_of_another_scale_or_of_a_type_without_one_is_refused() -> None:
    types = {"review": BY_STARS, "view": VIEW}
    check_event(an_event(event_type="review", rating=5.0), types, now_ms=1)
    with pytest.raises(InvalidInput, match="rating: must be between 1 and 5, the scale"):
        check_event(an_event(event_type="review", rating=7.0), types, now_ms=1)
    with pytest.raises(InvalidInput, match="rating: its event type has no rating_scale"):
        check_event(an_event(event_type="view", rating=5.0), types, now_ms=1)
