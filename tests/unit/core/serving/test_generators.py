"""Each generator alone, on items few enough to know the answer."""

from dataclasses import replace

import numpy as np

from recsys.core.serving.generators import GENERATORS, Query
from recsys.core.serving.lists import NO_LIST, Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.pipeline import recommend
from tests.builders import a_window, an_item_model, scoring_params

# Each item goes best with the second next one, then with the next.
ITEMS = an_item_model()
MODEL = ServingModel.of(ITEMS, scoring_params())


def yielded(name: str, query: Query) -> list[tuple[int, float | None]]:
    return [
        (entry.item_index, None if entry.score is None else round(entry.score, 6))
        for entry in GENERATORS[name](query)
    ]


def test_bought_together_with_an_item_are_its_partners() -> None:
    assert yielded("bought_together", Query(MODEL, NO_LIST, seed=0)) == [(2, 0.4), (1, 0.2)]


def test_bought_together_with_a_basket_is_the_sum_over_its_items() -> None:
    found = yielded("bought_together", Query(MODEL, NO_LIST, session=[0, 1]))
    # Of 0: 2 and 1; of 1: 3 and 2.
    assert found == [(2, 0.6), (3, 0.4), (1, 0.2)]


def test_what_is_in_the_basket_does_not_complete_it() -> None:
    answer = recommend(Query(MODEL, NO_LIST, session=[0, 1]), ["bought_together"], 10)
    assert [entry.item_index for entry in answer.ranked] == [2, 3]
    assert answer.source is Source.BOUGHT_TOGETHER


def test_what_is_in_a_session_does_not_come_back_from_any_generator() -> None:
    answer = recommend(Query(MODEL, NO_LIST, session=[5, 3]), ["popular"], 10)
    assert [entry.item_index for entry in answer.ranked] == [4, 2, 1, 0]


def test_padding_is_no_partner() -> None:
    partners = np.where(np.arange(2) == 0, ITEMS.partners, -1).astype(np.int32)
    model = replace(MODEL, items=an_item_model(partners=partners))
    assert yielded("bought_together", Query(model, NO_LIST, session=[0, 1])) == [(2, 0.4), (3, 0.4)]


def test_without_an_item_or_by_an_old_model_nothing_is_bought_together() -> None:
    assert yielded("bought_together", Query(MODEL, NO_LIST)) == []
    # One that came since the training.
    assert yielded("bought_together", Query(MODEL, NO_LIST, session=[6])) == []
    old = replace(MODEL, items=an_item_model(partners=None, partner_scores=None))
    assert yielded("bought_together", Query(old, NO_LIST, seed=0)) == []


def test_trending_items_come_in_their_order_as_far_as_they_may_be_shown() -> None:
    assert yielded("trending", Query(MODEL, NO_LIST)) == [(0, None), (2, None), (4, None)]
    some = MODEL.where(np.arange(6) != 2)
    assert yielded("trending", Query(some, NO_LIST)) == [(0, None), (4, None)]
    old = ServingModel.of(an_item_model(rising=None), scoring_params())
    assert yielded("trending", Query(old, NO_LIST)) == []


def within(model: ServingModel, days: int) -> Query:
    return Query(model, NO_LIST, window_days=days)


WINDOW = a_window([1, 4, 2], [8, 4, 2], [4, 3], [2.0, 0.5])
WINDOWED = ServingModel.of(an_item_model(windows={7: WINDOW}), scoring_params())


def test_what_was_popular_within_a_window_comes_before_what_always_is() -> None:
    found = yielded("popular", within(WINDOWED, 7))
    assert found[:3] == [(1, 1.0), (4, 0.5), (2, 0.25)]
    # Without a score, since it only fills up; the pipeline shows nothing twice.
    assert found[3:] == [(row, None) for row in (5, 4, 3, 2, 1, 0)]
    answer = recommend(within(WINDOWED, 7), ["popular"], 5)
    assert [entry.item_index for entry in answer.ranked] == [1, 4, 2, 5, 3]


def test_a_filter_cuts_a_window_and_scores_stay_shares_of_the_shop() -> None:
    some = WINDOWED.where(np.arange(6) != 1)
    assert yielded("popular", within(some, 7))[:2] == [(4, 0.5), (2, 0.25)]
    assert yielded("trending", within(some, 7)) == [(4, 1.0), (3, 0.25)]
    without = WINDOWED.where(np.arange(6) == 0)
    assert yielded("trending", within(without, 7)) == []
    assert yielded("popular", within(without, 7)) == [(0, None)]


def test_a_window_that_the_model_does_not_know_is_none() -> None:
    for name in ("popular", "trending"):
        assert yielded(name, within(WINDOWED, 30)) == yielded(name, within(WINDOWED, 0))
