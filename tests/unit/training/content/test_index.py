"""The index tells of a late item what a nightly run would: the same features, the same likeness."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.catalogue import CatalogueRow
from recsys.core.content_index import feature_names
from recsys.core.domain import Item
from recsys.core.serving.added import foreseen
from recsys.training.content import ItemContent
from recsys.training.content.alike import alike_items, most_bought
from recsys.training.content.blend import content_index
from recsys.training.content.features import ContentFeatures
from tests.builders import an_item_model


def row_of(item: Item) -> CatalogueRow:
    return CatalogueRow(
        *(item.title, item.price, item.available, item.categories, item.brand, item.attributes)
    )


# Letters of which Python and Arrow have the same small ones.
_texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=8)
_words = st.sampled_from(["Red cup", "red-lamp", "Кружка 2", "(नमस्ते)", "cup's", "x_y", "١٢"])
_items = st.builds(
    Item,
    st.just("a"),
    st.none() | _words | _texts.filter(lambda text: text.lower() == text),
    st.lists(st.sampled_from(["home", "cups", "rugs"]), max_size=3).map(tuple),
    st.none() | st.sampled_from(["x", "y"]),
    st.none() | st.floats(0, 1e6),
    attributes=st.dictionaries(
        st.sampled_from(["p", "q"]),
        st.booleans() | st.sampled_from(["s", "true"]) | st.floats(-10, 10),
    ),
)


@given(st.lists(_items, min_size=1, max_size=8))
def test_features_are_those_of_training_for_any_catalogue(items: list[Item]) -> None:
    # Twice, since what only one item has is no feature.
    features = ContentFeatures.of(ItemContent.from_items([*items, *items]))
    names = features.names()
    content = ItemContent.from_items(items)
    for row, item in enumerate(items):
        assert content.row(row) == row_of(item)
        trained = {names[column] for column in features.matrix[row].indices}
        assert feature_names(row_of(item), features.levels) == trained


def test_an_item_is_like_the_ones_that_training_says() -> None:
    random = np.random.default_rng(0)
    items = [
        Item(
            *(f"i{n}", f"number {n % 7} of {n % 11}", ("home", f"c{n % 5}"), f"brand {n % 3}"),
            price=float(n % 13),
            attributes={"litres": float(n % 4), "new": n % 2 == 0},
        )
        for n in range(200)
    ]
    shoppers = random.integers(0, 5, len(items))
    features = ContentFeatures.of(ItemContent.from_items(items))
    compared = most_bought(features.matrix, shoppers)
    index, expected = content_index(features, compared), alike_items(features.matrix, compared)
    late = np.flatnonzero(shoppers == 0)
    assert len(late) > 20
    for row in late.tolist():
        found = index.alike(row_of(items[row]))
        assert found.weights.sum() == pytest.approx(1)
        # Which of equal ones come in is decided by rounding.
        weights = np.sort(expected[row].data)[::-1]
        assert found.weights == pytest.approx(weights, rel=1e-4)
        sure = found.weights > found.weights[-1] * 1.001
        assert set(found.rows[sure].tolist()) <= set(expected[row].indices.tolist())


def test_what_is_foreseen_is_the_mean_of_alike_items() -> None:
    items = an_item_model(6)
    found = foreseen(items, CatalogueRow(None, None, available=True, categories=("odd",)))
    assert found is not None
    assert found.factors == pytest.approx(items.factors[[1, 3, 5]].mean(axis=0))
    # Each item has the next two as neighbours, by .9 and .5.
    expected = {0: 0.9, 2: 0.9, 4: 0.9, 1: 0.5, 3: 0.5, 5: 0.5}
    by_row = dict(zip(found.near.tolist(), found.scores.tolist(), strict=True))
    assert by_row == {row: pytest.approx(expected[row] / 3) for row in (0, 2)}


def test_nothing_is_foreseen_without_an_index_or_content() -> None:
    row = CatalogueRow(None, None, available=True, categories=("odd",))
    assert foreseen(an_item_model(6, content=None), row) is None
    assert foreseen(an_item_model(6), row._replace(categories=())) is None
