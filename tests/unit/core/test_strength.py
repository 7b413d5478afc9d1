"""The formula of strength, factor by factor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.event_types import EventType, counted_details, details_that_count
from recsys.core.strength import (
    MAX_RATIO,
    MIN_RATIO,
    EventColumns,
    decay,
    event_strengths,
    popularity_strengths,
    undecayed_strengths,
)
from recsys.core.times import MS_PER_DAY
from tests.builders import EVENT_TYPES, an_event

BY_PIECES = EventType(2.0, quantity_exponent=0.5)
BY_PRICE = EventType(3.0, price_exponent=0.25, typical_price=10.0)
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


def test_an_event_has_only_the_details_that_its_type_counts() -> None:
    bought = {"quantity": 3.0, "price": 2.5}
    types = {"order": BY_PIECES, "gift": BY_PRICE, "view": VIEW}
    found = {name: counted_details(an_event(event_type=name, **bought), types) for name in types}
    assert found == {"order": (3.0, None), "gift": (None, 2.5), "view": (None, None)}
    assert counted_details(an_event(event_type="unheard of", **bought), EVENT_TYPES) == (None, None)
