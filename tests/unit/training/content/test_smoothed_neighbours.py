import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.core.model import NO_NEIGHBOUR
from recsys.training.content import smoothed_neighbours as smoothed_neighbours_module
from recsys.training.content.alike import list_matrix
from recsys.training.content.smoothed_neighbours import smoothed_neighbours

# Items 0 and 1 go together; 2 is new and like 0.
NEIGHBOURS = np.array([[1, NO_NEIGHBOUR], [0, NO_NEIGHBOUR], [NO_NEIGHBOUR] * 2], np.int32)
SCORES = np.array([[0.8, 0], [0.8, 0], [0, 0]], np.float32)
ALIKE = csr_matrix(np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0]], np.float32))
SURE, ALL = np.ones(3, np.float32), np.ones(3, np.bool_)


def trust(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_a_new_item_has_the_list_of_what_is_like_it_and_is_in_the_lists_that_name_that() -> None:
    neighbours, scores = smoothed_neighbours(NEIGHBOURS, SCORES, ALIKE, trust(0, 0, 1), SURE, ALL)
    assert neighbours.tolist() == [[1, NO_NEIGHBOUR], [0, 2], [1, NO_NEIGHBOUR]]
    assert scores == pytest.approx(np.array([[0.8, 0], [0.8, 0.8], [0.8, 0]]))


def test_what_may_never_sell_stands_as_low_as_its_chance_and_has_the_list_of_its_kind() -> None:
    chances = np.array([1, 1, 0.25], np.float32)
    neighbours, scores = smoothed_neighbours(
        NEIGHBOURS, SCORES, ALIKE, trust(0, 0, 1), chances, ALL
    )
    assert neighbours.tolist() == [[1, NO_NEIGHBOUR], [0, 2], [1, NO_NEIGHBOUR]]
    assert scores == pytest.approx(np.array([[0.8, 0], [0.8, 0.2], [0.8, 0]]))


def test_without_trust_in_content_lists_stay_what_they_are() -> None:
    neighbours, scores = smoothed_neighbours(NEIGHBOURS, SCORES, ALIKE, trust(0, 0, 0), SURE, ALL)
    assert neighbours.tolist() == NEIGHBOURS.tolist()
    assert scores == pytest.approx(SCORES)


def test_what_may_not_be_sold_is_in_no_list_but_teaches_others() -> None:
    eligible = np.array([False, True, True])
    neighbours, _ = smoothed_neighbours(NEIGHBOURS, SCORES, ALIKE, trust(0, 0, 1), SURE, eligible)
    assert neighbours.tolist() == [[1, NO_NEIGHBOUR], [2, NO_NEIGHBOUR], [1, NO_NEIGHBOUR]]


def test_of_two_new_items_like_two_that_go_together_each_is_in_the_list_of_the_other() -> None:
    lists = np.pad(NEIGHBOURS[:2], ((0, 2), (0, 2)), constant_values=NO_NEIGHBOUR)
    scores = np.pad(SCORES[:2], ((0, 2), (0, 2)))
    alike = csr_matrix(np.eye(4, dtype=np.float32)[[2, 3, 0, 1]])
    neighbours, found = smoothed_neighbours(
        lists, scores, alike, trust(0, 0, 1, 1), np.ones(4, np.float32), np.ones(4, np.bool_)
    )
    assert neighbours[2].tolist() == [1, 3, NO_NEIGHBOUR, NO_NEIGHBOUR]
    assert neighbours[3].tolist() == [0, 2, NO_NEIGHBOUR, NO_NEIGHBOUR]
    assert found[2] == pytest.approx([0.8, 0.8, 0, 0])


def test_it_is_the_formula_of_dense_matrices() -> None:
    random = np.random.default_rng(5)
    neighbours = np.array([random.permutation(9) for _ in range(9)], np.int32)
    neighbours[neighbours == np.arange(9)[:, None]] = NO_NEIGHBOUR
    scores = np.where(neighbours == NO_NEIGHBOUR, 0, random.random((9, 9))).astype(np.float32)
    alike = random.random((9, 9)).astype(np.float32) * (random.random((9, 9)) < 0.5)
    weights, chances = random.random((2, 9)).astype(np.float32)
    lists = list_matrix(neighbours, scores).toarray()
    mix = np.diag(1 - weights) + weights[:, None] * alike
    mixed_rows = mix @ lists
    np.fill_diagonal(mixed_rows, 0)
    expected = mixed_rows @ mix.T * chances
    np.fill_diagonal(expected, 0)

    found = smoothed_neighbours(
        neighbours, scores, csr_matrix(alike), weights, chances, np.ones(9, np.bool_)
    )

    assert list_matrix(*found).toarray() == pytest.approx(expected, abs=1e-5)


def test_of_many_new_items_like_one_those_that_lean_on_it_most_share_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(smoothed_neighbours_module, "MAX_SHARES", 2)
    lists = np.full((5, 5), NO_NEIGHBOUR, np.int32)
    lists[:2, 0] = 1, 0
    alike = np.zeros((5, 5), np.float32)
    alike[2:, 0] = 0.3, 0.5, 0.4
    neighbours, _ = smoothed_neighbours(
        lists,
        (lists >= 0).astype(np.float32),
        csr_matrix(alike),
        trust(0, 0, 1, 1, 1),
        np.ones(5, np.float32),
        np.ones(5, np.bool_),
    )
    assert neighbours[1].tolist() == [0, 3, *[NO_NEIGHBOUR] * 3]
