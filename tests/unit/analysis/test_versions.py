"""Two versions: what they were made with, their lists, and a fair judge."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.analysis.all_lists import listed_users, lists_of
from recsys.analysis.shop_data import ShopData
from recsys.analysis.side_by_side import first_time_targets, side_by_side
from recsys.analysis.versions import Version, differences, stored_version, trained_version
from recsys.config.shop import load_shop
from recsys.core.errors import ConfigurationError, NoData
from recsys.core.model import ItemModel, TrainedModel, UserModel
from recsys.core.vocabulary import Vocabulary
from recsys.evaluation import NO_ITEM
from recsys.stores.model_files import ModelFiles
from recsys.training.als import AlsSettings
from recsys.training.settings import ModelSettings
from tests.builders import (
    a_history,
    a_manifest,
    a_user_model,
    an_event_log,
    an_item_model,
    checkerboard,
    scoring_params,
)

SHOP = load_shop()
SETTINGS = ModelSettings(AlsSettings(factors=4, iterations=10))


def a_model(items: ItemModel, users: UserModel) -> TrainedModel:
    return TrainedModel(scoring_params(), items, users)


def a_checkerboard_shop(size: int = 12) -> ShopData:
    rows, columns = checkerboard(size).nonzero()
    pairs = [(f"c{row}", f"c{column}") for row, column in zip(rows, columns, strict=True)]
    log = an_event_log(pairs, times=[1000] * len(pairs))
    titles = {f"c{column}": f"Cup {column}" for column in range(size)}
    return ShopData(log, titles, dict.fromkeys(titles, True))


def test_a_version_trained_here_recommends_as_a_stored_one_would() -> None:
    version = trained_version("trial", a_checkerboard_shop(), SHOP, SETTINGS, before_ms=2000)
    model = version.model

    best = lists_of(model, np.arange(12), n=1)[:, 0]

    assert [model.items.ids.id_of(row) for row in best] == list(model.users.ids)
    assert model.items.titles[0] == "Cup 0"
    assert version.entries["settings.als.factors"] == "4"


def test_a_version_trained_here_knows_nothing_from_its_end_on() -> None:
    shop = a_checkerboard_shop()

    with pytest.raises(NoData):
        trained_version("trial", shop, SHOP, SETTINGS, before_ms=1000)


def test_a_version_trained_here_counts_events_by_weights_of_its_settings() -> None:
    settings = replace(SETTINGS, event_weights={"purchase": 7.0})

    model = trained_version("trial", a_checkerboard_shop(), SHOP, settings, before_ms=2000).model

    assert model.params.event_types["purchase"] == replace(SHOP.event_types["purchase"], weight=7)
    assert model.params.event_types["view"] == SHOP.event_types["view"]
    assert set(model.users.histories.strengths.tolist()) == {7.0}


def test_a_version_trained_here_keeps_what_the_shop_has_fixed() -> None:
    shop = replace(SHOP, half_life_days=33.0, unfixed_weights=frozenset())
    settings = replace(SETTINGS, half_life_days=90.0, event_weights={"purchase": 7.0})

    version = trained_version("trial", a_checkerboard_shop(), shop, settings, before_ms=2000)

    assert version.model.params.half_life_days == 33
    assert version.entries["settings.half_life_days"] == "33"
    assert set(version.model.users.histories.strengths.tolist()) == {1.0}


def test_a_weight_of_no_type_of_the_shop_is_refused() -> None:
    settings = replace(SETTINGS, event_weights={"purchse": 7.0})
    with pytest.raises(ConfigurationError, match=r"event_weights\.purchse"):
        trained_version("trial", a_checkerboard_shop(), SHOP, settings, before_ms=2000)


def test_what_the_catalogue_does_not_have_is_not_recommended() -> None:
    shop = a_checkerboard_shop()
    gone = ShopData(shop.log, shop.titles, {**shop.available, "c3": False})

    items = trained_version("trial", gone, SHOP, SETTINGS, before_ms=2000).model.items

    assert not items.eligible[items.ids.index_of("c3") or 0]
    assert items.eligible.sum() == 11


def test_differences_are_named_and_what_always_differs_is_not_one(tmp_path: Path) -> None:
    models = ModelFiles(tmp_path)
    users = a_user_model([a_history([0])])
    first = a_manifest("20260101T000000Z-a")
    settings = {"als": {**first.training.settings["als"], "iterations": 30}}
    training = first.training.model_copy(update={"settings": settings})
    for manifest in (first, a_manifest("20260102T000000Z-b", training=training)):
        models.save(manifest, an_item_model(), users)

    old, new = (stored_version(models, "shop", name) for name in models.versions("shop"))

    assert differences(old, new) == [["training.settings.als.iterations", "15", "30"]]


def test_what_only_one_version_says_is_a_difference() -> None:
    model = a_model(an_item_model(), a_user_model([a_history([0])]))
    old, new = Version("old", {"a": "1"}, model), Version("new", {"b": "2"}, model)

    assert differences(old, new) == [["a", "1", "-"], ["b", "-", "2"]]


def test_users_of_whom_nothing_counts_have_no_list_of_their_own() -> None:
    users = a_user_model([a_history([0]), a_history([]), a_history([1], [0.0]), a_history([2])])

    assert listed_users(users).tolist() == [0, 3]


def test_lists_of_two_vocabularies_are_compared_by_id() -> None:
    items = an_item_model(n=4)
    order = [2, 0, 3, 1]
    moved = an_item_model(
        n=4,
        ids=Vocabulary(f"i{row}" for row in order),
        titles=tuple(f"Item {row}" for row in order),
        factors=items.factors[order],
    )
    histories = a_history([0]), a_history([1])
    same = a_history([order.index(0)]), a_history([order.index(1)])

    both = side_by_side(
        a_model(items, a_user_model(histories)), a_model(moved, a_user_model(same)), k=3
    )

    assert both.overlap().tolist() == [1, 1]
    assert (both.old == both.new).all()


def test_overlap_is_the_share_of_places_whose_item_stays() -> None:
    factors = np.array([[4.0], [3.0], [2.0], [1.0]], np.float32)
    turned = np.array([[4.0], [1.0], [2.0], [3.0]], np.float32)
    users = a_user_model([a_history([0])], k=1)
    users.factors[:] = 1

    both = side_by_side(
        a_model(an_item_model(n=4, factors=factors), users),
        a_model(an_item_model(n=4, factors=turned), users),
        k=2,
    )

    assert both.old.tolist() == [[1, 2]]
    assert both.new.tolist() == [[3, 2]]
    assert both.overlap().tolist() == [0.5]


def test_the_padding_of_a_short_list_is_no_item_of_another_user() -> None:
    factors = np.array([[1.0], [2.0], [3.0], [4.0]], np.float32)
    turned = np.array([[4.0], [3.0], [2.0], [-1.0]], np.float32)
    # The second user has all items but one: the list is padded.
    users = a_user_model([a_history([1]), a_history([0, 1, 2])], k=1)
    users.factors[:] = 1

    both = side_by_side(
        a_model(an_item_model(n=4, factors=factors), users),
        a_model(an_item_model(n=4, factors=turned), users),
        k=2,
    )

    assert both.old.tolist() == [[3, 2], [3, NO_ITEM]]
    assert both.new.tolist() == [[0, 2], [3, NO_ITEM]]
    assert both.overlap().tolist() == [0.5, 0.5]


def test_only_users_with_lists_in_both_versions_are_compared() -> None:
    old = a_user_model([a_history([0]), a_history([]), a_history([1])])
    new = a_user_model([a_history([0]), a_history([1])])

    both = side_by_side(a_model(an_item_model(), old), a_model(an_item_model(), new))

    assert list(both.users) == ["u0"]


def test_judges_are_first_purchases_of_users_whom_both_versions_know() -> None:
    model = a_model(an_item_model(n=4), a_user_model([a_history([0]), a_history([1])]))
    both = side_by_side(model, model, k=2)
    log = an_event_log(
        [("u0", "i0"), ("u0", "i0"), ("u0", "i2"), ("u1", "i3"), ("stranger", "i3"), ("u1", "new")],
        types=["purchase", "purchase", "purchase", "view", "purchase", "purchase"],
        times=[1, 20, 20, 20, 20, 20],
    )

    test = first_time_targets(log, 10, both)

    assert [both.users.id_of(int(user)) for user in test.users] == ["u0", "u1"]
    assert test.items[0] == both.items.index_of("i2")
    assert test.unknown_pairs == 1
    assert len(test.items) == 2


def test_there_is_no_judge_when_nothing_has_happened_since() -> None:
    model = a_model(an_item_model(n=4), a_user_model([a_history([0])]))
    log = an_event_log([("u0", "i0")], times=[1])

    assert not len(first_time_targets(log, 10, side_by_side(model, model)))
