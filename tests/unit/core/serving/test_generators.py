"""Each generator alone, on items few enough to know the answer."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.core.catalogue import CatalogueColumns, CatalogueRow
from recsys.core.serving.generators import GENERATORS, Query
from recsys.core.serving.lists import NO_LIST, Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.pipeline import recommend
from recsys.core.serving.row_catalogue import RowCatalogue
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


DAY_MS = 86_400_000


def at_day(day: float) -> Query:
    return Query(SHELF, NO_LIST, now_ms=int(day * DAY_MS))


def a_shelf(days: dict[str, tuple[float | None, float | None]]) -> ServingModel:
    """Of the six items of the model and further ones, with days of creation and of publication."""
    columns = CatalogueColumns()
    rows = {
        item_id: CatalogueRow(
            None,
            None,
            available=True,
            created_ms=None if created is None else int(created * DAY_MS),
            publish_ms=None if published is None else int(published * DAY_MS),
        )
        for item_id, (created, published) in days.items()
    }
    columns.update(rows)
    ids = [*map(ITEMS.ids.id_of, range(6)), *(i for i in rows if ITEMS.ids.index_of(i) is None)]
    catalogue = RowCatalogue(len(ids))
    catalogue.follow(columns)
    for row, item_id in enumerate(ids):
        catalogue.place(row, item_id)
    return ServingModel.of(ITEMS, scoring_params(), back=range(6, len(ids)), catalogue=catalogue)


SHELF = a_shelf(
    {
        "i0": (100, None),
        "i1": (100, None),
        "i2": (1, 101),
        "i3": (50, None),
        "i4": (None, None),
        "x": (102, None),
        "y": (99.5, None),
        "z": (None, None),
    }
)


def test_new_is_what_shoppers_could_see_first_within_thirty_days_whatever_model_knows_it() -> None:
    # Of two of one moment the more popular one comes first, which is i1. When z came nobody knows;
    # what no model knows, x, y and z, has no other list to be in, however old.
    assert [row for row, _ in yielded("new", at_day(103))][:5] == [6, 2, 1, 0, 7]
    assert [row for row, _ in yielded("new", at_day(130.5))][:2] == [6, 2]
    assert {row for row, _ in yielded("new", at_day(200))} == {6, 7, 8}


def test_what_says_that_it_arrives_later_is_not_new_until_then() -> None:
    """A year of 2099, by mistake, would lead the list as long."""
    assert [row for row, _ in yielded("new", at_day(100.5))][:3] == [1, 0, 7]
    assert 2 not in {row for row, _ in yielded("new", at_day(100.5))}
    assert [row for row, _ in yielded("new", at_day(101))][:3] == [2, 1, 0]


def test_a_window_says_how_new() -> None:
    week = replace(at_day(108), window_days=7)
    assert [row for row, _ in yielded("new", week)][:2] == [6, 2]
    assert 1 not in {row for row, _ in yielded("new", week)}


def test_what_is_new_passes_the_filter_of_the_request() -> None:
    some = replace(at_day(103), model=SHELF.where(np.arange(9) % 2 == 0))
    assert [row for row, _ in yielded("new", some)][:3] == [6, 2, 0]


def test_of_very_many_new_items_the_newest_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recsys.core.serving.model.MAX_NEW", 2)
    # Two of one moment at the border: exactly as many as fit.
    shelf = a_shelf({"i0": (100, None), "i1": (100, None), "i2": (101, None), "i3": (1, None)})
    query = Query(shelf, NO_LIST, now_ms=102 * DAY_MS)
    assert yielded("new", query) == [(2, None), (1, None)]


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
