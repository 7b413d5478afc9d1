from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.domain import Item
from recsys.training.content import ItemContent, features
from recsys.training.content.features import content_matrix


def cosines(*items: Item) -> np.ndarray:
    matrix = content_matrix(ItemContent.from_items(items))
    return (matrix @ matrix.T).toarray()


def have_in_common(left: Item, right: Item, others: Iterable[Item] = ()) -> bool:
    return bool(cosines(left, right, *others)[0, 1] > 0)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Item("a", title="Red cup"), Item("b", title="CUP, blue")),
        (Item("a", title="кружка"), Item("b", title="Кружка!")),
        (Item("a", title="नमस्ते"), Item("b", title="(नमस्ते)")),
        (Item("a", brand="Potter"), Item("b", brand="Potter")),
        (Item("a", categories=("home", "cups")), Item("b", categories=("home", "rugs"))),
        (Item("a", price=4.0), Item("b", price=4.0)),
        (Item("a", attributes={"colour": "red"}), Item("b", attributes={"colour": "red"})),
        (Item("a", attributes={"new": True}), Item("b", attributes={"new": True})),
        (Item("a", attributes={"litres": 2.0}), Item("b", attributes={"litres": 2.0})),
    ],
)
def test_items_that_share_a_property_have_a_feature_in_common(left: Item, right: Item) -> None:
    assert have_in_common(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Item("a"), Item("b")),
        (Item("a", title="cup"), Item("b", title="cups")),
        (Item("a", title="Potter"), Item("b", brand="Potter")),
        (Item("a", categories=("home", "cups")), Item("b", categories=("garden", "cups"))),
        (Item("a", attributes={"colour": "red"}), Item("b", attributes={"label": "red"})),
        (Item("a", attributes={"new": True}), Item("b", attributes={"new": False})),
        (Item("a", attributes={"litres": 2.0}), Item("b", attributes={"height": 2.0})),
    ],
)
def test_items_that_share_nothing_have_no_feature_in_common(left: Item, right: Item) -> None:
    twins = [Item("c", left.title, left.categories, left.brand, attributes=left.attributes)]
    assert not have_in_common(left, right, twins)


def test_prices_of_the_same_level_are_alike_and_others_are_not() -> None:
    items = [Item(f"i{row}", price=float(row)) for row in range(100)]
    alike = cosines(*items)
    assert alike[11, 15] == pytest.approx(1)
    assert alike[11, 35] == 0


def test_rows_have_length_one_and_rare_features_count_more() -> None:
    filler = [Item(f"f{n}", title="common") for n in range(20)]
    rare, common = Item("a", title="common rare"), Item("c", title="common frequent")
    alike = cosines(
        rare, Item("b", title="rare"), common, *filler, *[Item("d", title="frequent")] * 9
    )
    assert np.diag(alike) == pytest.approx(1)
    assert alike[0, 1] > alike[0, 3] > 0


def test_a_word_that_comes_twice_counts_once() -> None:
    assert cosines(Item("a", title="cup cup lid"), Item("b", title="lid cup"))[0, 1] == (
        pytest.approx(1)
    )


def test_what_only_one_item_has_gets_no_column() -> None:
    content = ItemContent.from_items([Item("a", title="one two"), Item("b", title="two three")])
    assert content_matrix(content).shape == (2, 1)


def test_the_most_frequent_features_stay_where_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(features, "MAX_FEATURES", 2)
    titles = ["rare all", "rare all most", "all most", "all most"]
    content = ItemContent.from_items([Item(f"i{n}", title=t) for n, t in enumerate(titles)])
    matrix = content_matrix(content)
    assert matrix.getnnz(axis=0).tolist() == [4, 3]


@pytest.mark.parametrize("items", [[], [Item("a")], [Item("a", title="one")], [Item("a", price=0)]])
def test_a_catalogue_with_nothing_in_common_has_rows_but_no_columns(items: list[Item]) -> None:
    assert content_matrix(ItemContent.from_items(items)).shape == (len(items), 0)


_texts = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=8)
_items = st.builds(
    Item,
    st.just("a"),
    st.none() | _texts,
    st.lists(_texts.filter(bool).filter(str.isprintable), max_size=3).map(tuple),
    st.none() | st.sampled_from(["x", "y"]),
    st.none() | st.floats(0, 1e12),
    attributes=st.dictionaries(
        st.sampled_from(["p", "q"]),
        st.booleans() | st.sampled_from(["s", "t"]) | st.floats(-1e300, 1e300),
    ),
)


@given(st.lists(_items, max_size=8))
def test_any_catalogue_has_finite_rows_of_length_one_or_none(items: list[Item]) -> None:
    matrix = content_matrix(ItemContent.from_items(items))
    lengths = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    assert matrix.dtype == np.float32
    assert all(length == pytest.approx(1) or length == 0 for length in np.asarray(lengths).ravel())
