import numpy as np
import pytest

from recsys.core.domain import Item
from recsys.training.content import ItemContent, WithContent, with_content
from recsys.training.content.blend import CONTENT_SHOPPERS, blended
from recsys.training.neighbours import NeighbourLists
from tests.unit.training.content.shop import CATEGORIES, NOW_MS, TasteShop, a_taste_shop


def blend_of(shop: TasteShop, content: ItemContent | None = None) -> WithContent:
    _, factors = shop.factors()
    return with_content(
        shop.content if content is None else content,
        shop.shoppers,
        factors,
        shop.neighbours(),
        found_lately=np.zeros(len(shop.new), np.bool_),
        eligible=np.ones(len(shop.new), np.bool_),
        seed=1,
    )


def test_new_items_are_for_those_who_want_their_category() -> None:
    shop = a_taste_shop()
    users, _ = shop.factors()

    scores = users @ blend_of(shop).factors[shop.new].T

    tastes, categories = np.arange(len(users)) % 3, np.flatnonzero(shop.new) % 3
    assert (scores[tastes[:, None] == categories].min()) > 0.2
    assert (np.abs(scores[tastes[:, None] != categories]).max()) < 0.1


def test_new_items_are_neighbours_of_their_category_and_it_of_them() -> None:
    shop = a_taste_shop()

    made = blend_of(shop)

    rows, best = np.arange(60), made.neighbours.items[:, :15]
    assert (best % 3 == rows[:, None] % 3).all()
    assert np.isin(rows[shop.new], best[~shop.new]).all()


def test_items_that_nobody_wanted_for_long_take_no_place_from_those_that_sell() -> None:
    shop = a_taste_shop()
    users, _ = shop.factors()
    items = [Item(f"i{n}", f"Number {n}", ("home", CATEGORIES[n % 3])) for n in range(60)]

    made = blend_of(shop, ItemContent.from_items(items, NOW_MS))

    best = np.argsort(-(users @ made.factors.T), axis=1)[:, :15]
    assert not shop.new[best].any()
    assert not shop.new[made.neighbours.items[~shop.new][:, :15]].any()
    # Who looks for what is like one of them finds what sells.
    rows = np.flatnonzero(shop.new)
    assert (made.neighbours.items[rows, :15] % 3 == rows[:, np.newaxis] % 3).all()


def test_the_same_data_and_seed_make_the_same_blend() -> None:
    first, second = blend_of(a_taste_shop()), blend_of(a_taste_shop())
    assert first.fitted == second.fitted
    assert np.array_equal(first.factors, second.factors)
    assert np.array_equal(first.neighbours.items, second.neighbours.items)
    assert np.array_equal(first.neighbours.scores, second.neighbours.scores)


def test_how_well_content_foresees_is_told() -> None:
    fitted = blend_of(a_taste_shop()).fitted
    assert fitted is not None
    assert 0.5 < fitted.r_squared <= 1


def test_shape_and_kind_of_number_stay_and_all_is_finite() -> None:
    shop = a_taste_shop()
    made, (_, factors) = blend_of(shop), shop.factors()
    assert (made.factors.shape, made.factors.dtype) == (factors.shape, np.float32)
    assert (made.neighbours.items.shape, made.neighbours.items.dtype) == ((60, 25), np.int32)
    assert made.neighbours.scores.dtype == np.float32
    assert np.isfinite(made.factors).all()
    assert np.isfinite(made.neighbours.scores).all()


@pytest.mark.parametrize(
    "items",
    [
        [Item(f"i{row}") for row in range(60)],
        [Item(f"i{row}", title=f"unique{row}") for row in range(60)],
    ],
)
def test_content_that_tells_nothing_changes_nothing(items: list[Item]) -> None:
    shop = a_taste_shop()

    made = blend_of(shop, ItemContent.from_items(items))

    assert np.array_equal(made.factors, shop.factors()[1])
    assert np.array_equal(made.neighbours.items, shop.neighbours().items)


def test_an_item_without_content_stays_what_behaviour_makes_of_it() -> None:
    shop = a_taste_shop()
    described = [
        Item(f"i{n}", categories=("home", ["cups", "lamps", "rugs"][n % 3])) for n in range(60)
    ]
    described[0] = Item("i0")

    made = blend_of(shop, ItemContent.from_items(described))

    assert made.factors[0] == pytest.approx(shop.factors()[1][0])


@pytest.mark.parametrize("items", [0, 1])
def test_a_shop_of_next_to_nothing_is_left_alone(items: int) -> None:
    content = ItemContent.from_items([Item(f"i{n}", title="cup") for n in range(items)])
    factors = np.ones((items, 3), np.float32)
    lists, eligible = NeighbourLists.empty(items, 2), np.ones(items, np.bool_)

    made = with_content(
        *(content, np.ones(items, int), factors, lists), ~eligible, eligible, seed=1
    )

    assert made.fitted is None
    assert np.array_equal(made.factors, factors)


def test_without_shoppers_an_item_is_its_content_and_with_many_its_behaviour() -> None:
    behaviour, content = np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32)
    shoppers = np.array([0, CONTENT_SHOPPERS, np.inf])
    trust = (CONTENT_SHOPPERS / (shoppers + CONTENT_SHOPPERS)).astype(np.float32)
    assert blended(behaviour, content, trust)[:, 0].tolist() == [0, 0.5, 1]
