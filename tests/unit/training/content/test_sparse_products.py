import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.sparse import random as random_matrix

from recsys.core.model import NO_NEIGHBOUR
from recsys.training.content import sparse_products
from recsys.training.content.sparse_products import best_products, first_of_rows


@pytest.mark.parametrize("count", [1, 5, 40])
def test_the_largest_entries_of_each_row_come_first(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse_products, "_ROWS_PER_BLOCK", 7)
    random = np.random.default_rng(3)
    left = random_matrix(30, 20, 0.2, "csr", np.float32, random)
    right = random_matrix(20, 30, 0.2, "csr", np.float32, random)
    listed = random.random(30) < 0.8
    expected = np.where(listed, (left @ right).toarray(), 0)
    np.fill_diagonal(expected, 0)

    columns, entries = best_products(left, right, listed, count)

    for row in range(30):
        order = np.argsort(-expected[row], kind="stable")[:count]
        present = expected[row, order] > 0
        assert columns[row, : present.sum()].tolist() == order[present].tolist()
        assert (columns[row, present.sum() :] == NO_NEIGHBOUR).all()
        assert entries[row, : len(order)] == pytest.approx(expected[row, order], rel=1e-5)


def test_equal_entries_are_ordered_by_column() -> None:
    everything = csr_matrix(np.ones((4, 4), np.float32))
    columns, _ = best_products(everything, everything, np.ones(4, np.bool_), 2)
    assert columns.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]


def test_a_product_of_nothing_is_padding() -> None:
    columns, entries = best_products(
        csr_matrix((3, 0), dtype=np.float32),
        csr_matrix((0, 3), dtype=np.float32),
        np.ones(3, np.bool_),
        2,
    )
    assert (columns == NO_NEIGHBOUR).all()
    assert not entries.any()


def test_of_each_row_the_entries_of_the_largest_keys_stay() -> None:
    matrix = csr_matrix(np.array([[1, 2, 3, 4], [0, 0, 0, 0], [0, 5, 6, 0]], np.float32))
    keys = np.array([7, 9, 7, 8, 1, 1])
    kept = first_of_rows(matrix, keys, 2)
    assert kept.toarray().tolist() == [[0, 2, 0, 4], [0, 0, 0, 0], [0, 5, 6, 0]]
    assert first_of_rows(matrix, keys, 1).toarray().tolist() == [
        [0, 2, 0, 0],
        [0, 0, 0, 0],
        [0, 5, 0, 0],
    ]
