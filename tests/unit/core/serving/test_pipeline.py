from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.behaviour import RecentEvent, StoredUser
from recsys.core.current_history import current_history
from recsys.core.fold_in import fold_in
from recsys.core.model import History
from recsys.core.serving.lists import Recommendations, Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.pipeline import recommend_for_user, similar_items
from tests.builders import a_history, an_item_model, scoring_params

ITEMS = an_item_model()
PARAMS = scoring_params()
MODEL = ServingModel.of(ITEMS, PARAMS)
NOW = 10_000_000


def a_stored_user(items: list[int] | None = None, bought: list[int] | None = None) -> StoredUser:
    items = [3, 1, 4] if items is None else items
    scores = np.linspace(1.0, 0.5, len(items), dtype=np.float32)
    return StoredUser(
        np.array(items, np.int32), scores, a_history([0] if bought is None else bought)
    )


def an_event(item_id: str, event_type: str = "purchase", received_ms: int = NOW) -> RecentEvent:
    return RecentEvent(item_id, event_type, timestamp_ms=received_ms, received_ms=received_ms)


def rows(answer: Recommendations) -> list[int]:
    return [entry.item_index for entry in answer.ranked]


def test_a_known_user_gets_the_stored_list() -> None:
    answer = recommend_for_user(MODEL, a_stored_user(), [], 3)
    assert (rows(answer), answer.source) == ([3, 1, 4], Source.STORED)


def test_a_list_that_is_too_short_is_filled_with_popular_items_that_carry_no_score() -> None:
    answer = recommend_for_user(MODEL, a_stored_user(), [], 5)
    assert rows(answer) == [3, 1, 4, 5, 2]
    assert [entry.score is None for entry in answer.ranked] == [False, False, False, True, True]
    assert answer.source is Source.STORED


def test_what_was_bought_or_disliked_does_not_come_back_as_filler() -> None:
    answer = recommend_for_user(MODEL, a_stored_user(), [an_event("i2", "dislike")], len(ITEMS.ids))
    assert sorted(rows(answer)) == [1, 3, 4, 5]


def test_an_unknown_user_gets_popular_items() -> None:
    answer = recommend_for_user(MODEL, None, [], 3)
    assert (rows(answer), answer.source) == ([5, 4, 3], Source.POPULAR)


def test_a_user_whose_behaviour_means_nothing_to_the_model_gets_popular_items() -> None:
    recent = [an_event("never heard of"), an_event("i1", "impression")]
    answer = recommend_for_user(MODEL, None, recent, 3)
    assert (rows(answer), answer.source) == ([5, 4, 3], Source.POPULAR)


def test_hidden_items_are_never_shown() -> None:
    model = ServingModel.of(ITEMS, PARAMS, {3})
    for stored, recent in ((a_stored_user(), []), (None, []), (a_stored_user(), [an_event("i2")])):
        assert 3 not in rows(recommend_for_user(model, stored, recent, 6))


def test_a_new_purchase_changes_the_answer_and_is_not_recommended_again() -> None:
    answer = recommend_for_user(MODEL, a_stored_user(), [an_event("i3")], 4)
    assert answer.source is Source.FOLD_IN
    assert 3 not in rows(answer)
    assert 0 not in rows(answer)


def test_fold_in_ranks_by_the_solved_factors() -> None:
    answer = recommend_for_user(MODEL, None, [an_event("i2"), an_event("i2")], 5)
    taste = fold_in(
        ITEMS.factors[[2]],
        ITEMS.gramian,
        np.array([2.0], np.float32),
        alpha=PARAMS.alpha,
        # lambda_u = regularization * (items + alpha * strength)
        row_regularization=PARAMS.regularization * (len(ITEMS.ids) + PARAMS.alpha * 2.0),
    )
    scores = ITEMS.factors @ taste
    expected = [row for row in np.argsort(-scores).tolist() if row != 2]
    assert rows(answer) == expected
    found = [entry.score for entry in answer.ranked]
    assert found == pytest.approx(scores[expected].tolist(), rel=1e-5)


def test_an_event_that_training_has_seen_counts_once() -> None:
    seen = an_event("i2", received_ms=PARAMS.read_at_ms - 1)
    answer = recommend_for_user(MODEL, a_stored_user(), [seen], 3)
    assert answer.source is Source.STORED


def test_an_event_past_the_training_window_counts_even_when_it_came_before_reading() -> None:
    late = replace(an_event("i2", received_ms=PARAMS.read_at_ms - 1), timestamp_ms=PARAMS.end_ms)
    answer = recommend_for_user(MODEL, a_stored_user(), [late], 3)
    assert answer.source is Source.FOLD_IN


def test_a_dislike_outweighs_the_purchase_before() -> None:
    recent = [an_event("i2"), an_event("i2", "dislike")]
    answer = recommend_for_user(MODEL, None, recent, 4)
    assert answer.source is Source.POPULAR
    assert 2 not in rows(answer)


def test_a_dislike_of_what_is_unknown_stays_negative_and_excludes() -> None:
    history = current_history(
        ITEMS.ids.index_of, PARAMS, a_stored_user().history, [an_event("i2", "dislike")]
    )
    assert history.items.tolist() == [0, 2]
    assert history.strengths.tolist() == [1.0, -2.0]
    assert history.excluded.tolist() == [True, True]


def test_what_cancels_out_is_zero() -> None:
    stored = a_history([2], [0.6], excluded=False)
    events = [an_event("i2", "view")] * 7 + [an_event("i2", "dislike")]
    assert current_history(ITEMS.ids.index_of, PARAMS, stored, events).strengths.tolist() == [0.0]


def test_quantity_and_price_of_a_recent_event_count_as_its_type_says() -> None:
    order = replace(an_event("i2", "order"), quantity=9.0, price=8.0 * 16)
    history = current_history(ITEMS.ids.index_of, PARAMS, History.empty(), [order])
    assert history.strengths == pytest.approx([3 * 2])


def test_similar_items_are_the_neighbours_filled_with_popular_ones() -> None:
    answer = similar_items(MODEL, 0, 4)
    assert (rows(answer), answer.source) == ([1, 2, 5, 4], Source.NEIGHBOURS)


def test_an_item_is_never_similar_to_itself_nor_is_a_hidden_one() -> None:
    assert rows(similar_items(ServingModel.of(ITEMS, PARAMS, {1}), 0, 6)) == [2, 5, 4, 3]


def test_an_unknown_item_is_answered_with_popular_ones() -> None:
    answer = similar_items(MODEL, None, 2)
    assert (rows(answer), answer.source) == ([5, 4], Source.POPULAR)


def test_a_shopper_who_has_everything_gets_an_empty_list() -> None:
    everything = list(range(len(ITEMS.ids)))
    answer = recommend_for_user(MODEL, a_stored_user([], everything), [], 10)
    assert (rows(answer), answer.source) == ([], Source.POPULAR)


def test_an_item_is_not_similar_to_itself_where_all_others_are_used_up() -> None:
    assert sorted(rows(similar_items(MODEL, 0, 100))) == [1, 2, 3, 4, 5]


@given(
    st.lists(st.integers(0, 5), unique=True),
    st.sets(st.integers(0, 5)),
    st.lists(st.integers(0, 5), max_size=4),
    st.integers(1, 10),
)
def test_answers_hold_all_that_may_be_shown_and_nothing_twice(
    stored: list[int], hidden: set[int], recent: list[int], limit: int
) -> None:
    events = [an_event(f"i{row}") for row in recent]
    user = a_stored_user(stored, bought=[])
    model = ServingModel.of(ITEMS, PARAMS, hidden)
    found = rows(recommend_for_user(model, user, events, limit))
    withheld = hidden | set(recent)
    assert len(found) == len(set(found)) == min(limit, 6 - len(withheld))
    assert not withheld & set(found)
