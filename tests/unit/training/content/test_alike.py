import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.training.content import alike as alike_module
from recsys.training.content.alike import alike_items, most_bought, popularity_of_alike
from recsys.training.content.features import unit_rows

CONTENT = unit_rows(csr_matrix(np.array([[1, 1], [1, 1], [1, 0], [0, 1], [0, 0]], np.float32)))


def alike_of(content: csr_matrix, shoppers: np.ndarray) -> csr_matrix:
    return alike_items(content, most_bought(content, shoppers))


def test_weights_are_cubes_of_cosines_over_their_sum() -> None:
    alike = alike_of(CONTENT, np.array([0, 5, 5, 5, 5])).toarray()
    cube = 0.5**1.5
    assert alike[0] == pytest.approx([0, 1 / (1 + 2 * cube), *[cube / (1 + 2 * cube)] * 2, 0])


def test_only_items_with_shoppers_teach_others() -> None:
    alike = alike_of(CONTENT, np.array([0, 0, 1, 0, 1])).toarray()
    assert alike[0] == pytest.approx([0, 0, 1, 0, 0])


def test_an_item_is_not_alike_to_itself_and_one_without_content_to_nothing() -> None:
    alike = alike_of(CONTENT, np.ones(5, np.int64)).toarray()
    assert not np.diag(alike).any()
    assert not alike[4].any()


def test_of_a_frequent_feature_the_items_with_most_shoppers_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(alike_module, "ITEMS_PER_FEATURE", 2)
    content = csr_matrix(np.ones((5, 1), np.float32))
    alike = alike_of(content, np.array([1, 7, 3, 9, 0])).toarray()
    assert alike[0].tolist() == [0, 0.5, 0, 0.5, 0]
    assert alike[4].tolist() == [0, 0.5, 0, 0.5, 0]


def test_a_new_item_is_expected_to_be_as_popular_as_what_is_like_it() -> None:
    twins = csr_matrix(np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.float32))
    assert popularity_of_alike(twins, np.array([0, 6, 2, 9])).tolist() == [4, 2, 6, 0]
