import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.core.model import NO_NEIGHBOUR
from recsys.training.neighbours import item_neighbours


def test_scores_are_the_degree_normalised_cooccurrence() -> None:
    random = np.random.default_rng(2)
    matrix = (random.random((30, 12)) * (random.random((30, 12)) < 0.3)).astype(np.float32)
    users, items = (np.where(matrix.any(axis), matrix.sum(axis), 1) for axis in (1, 0))
    normalised = matrix / np.sqrt(users)[:, None] / np.sqrt(items)
    expected = normalised.T @ normalised
    np.fill_diagonal(expected, 0)

    found = item_neighbours(csr_matrix(matrix), np.ones(12, np.bool_), 5)

    for row in range(12):
        assert found.scores[row] == pytest.approx(np.sort(expected[row])[::-1][:5], abs=1e-6)
        assert found.scores[row] == pytest.approx(expected[row, found.items[row]], abs=1e-6)


def test_items_that_never_meet_are_no_neighbours() -> None:
    found = item_neighbours(csr_matrix(np.eye(3)), np.ones(3, np.bool_), 2)
    assert (found.items == NO_NEIGHBOUR).all()
    assert not found.scores.any()


def test_an_item_that_may_not_be_sold_is_nobodys_neighbour_but_has_some() -> None:
    matrix = csr_matrix(np.ones((2, 3)))
    found = item_neighbours(matrix, np.array([True, True, False]), 2)
    assert found.items.tolist() == [[1, NO_NEIGHBOUR], [0, NO_NEIGHBOUR], [0, 1]]
