"""What a model can tell of an item that it does not know, by its content."""

from dataclasses import replace

import numpy as np
import pytest

from recsys.core.catalogue import CatalogueRow
from recsys.core.content_index import ContentIndex
from recsys.core.errors import InvalidModel
from tests.builders import a_content_index

INDEX = a_content_index(6)


def an_item(**fields: object) -> CatalogueRow:
    return CatalogueRow(**({"title": None, "price": None, "available": True} | fields))  # type: ignore[arg-type]


def test_items_of_the_same_category_are_alike_each_as_much_as_the_others() -> None:
    found = INDEX.alike(an_item(categories=("even", "small")))
    assert found.rows.tolist() == [0, 2, 4]
    assert found.weights == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("fields", [{}, {"title": "even"}, {"brand": "odd"}, {"price": 3.0}])
def test_nothing_is_like_an_item_of_which_nothing_is_known(fields: dict[str, object]) -> None:
    assert not len(INDEX.alike(an_item(**fields)).rows)


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.ones(3, np.float32)},
        {"indptr": np.array([0, 3, 5])},
        {"indptr": np.array([1, 3, 6])},
        {"indptr": np.array([0, 7, 6])},
        {"items": np.array([0, 2, 4, 1, 3, 6], np.int32)},
        {"items": np.array([0, 2, 4, 1, 3, -1], np.int32)},
        {"scales": np.array([1, 1, 1, 1, 1, np.nan], np.float32)},
        {"weights": np.array([1, np.inf], np.float32)},
        {"levels": {"": np.array([np.nan])}},
    ],
)
def test_parts_that_disagree_are_no_index(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidModel):
        replace(INDEX, **changes)


def test_a_copy_of_the_same_parts_is_an_index() -> None:
    assert isinstance(replace(INDEX), ContentIndex)
