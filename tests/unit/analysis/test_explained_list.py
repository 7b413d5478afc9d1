"""One shopper's list, part by part."""

import numpy as np

from recsys.analysis.explained_list import ExplainedList, explain_list
from recsys.core.model import History
from tests.builders import a_history, an_item_model, scoring_params

ITEMS = an_item_model(n=12, k=4, trend=np.linspace(0.5, 2, 12).astype(np.float32))
PARAMS = scoring_params(neighbour_weight=0.7)


def explained(history: History, n: int = 5) -> ExplainedList:
    return explain_list(ITEMS, PARAMS, history, n)


def test_all_parts_of_an_item_add_up_to_its_score() -> None:
    found = explained(a_history([7, 2, 4, 9], [1.0, 0.5, 2.0, -0.7]))

    assert sorted(found.seeds.tolist()) == [2, 4, 7, 9]
    np.testing.assert_allclose(found.sums, found.scores, rtol=1e-5)


def test_the_list_is_best_first_and_without_what_the_shopper_has() -> None:
    found = explained(a_history([7, 2, 4]), n=12)

    assert sorted(found.items.tolist()) == sorted(set(range(12)) - {7, 2, 4})
    assert (np.diff(found.scores) <= 0).all()


def test_a_neighbour_part_stands_in_the_column_of_its_seed() -> None:
    """Item 3's neighbours are 4 and 5, item 9's are 10 and 11."""
    found = explained(a_history([9, 3]), n=12)

    columns = {seed: found.by_neighbours[:, i] for i, seed in enumerate(found.seeds.tolist())}
    assert set(found.items[columns[3] > 0].tolist()) == {4, 5}
    assert set(found.items[columns[9] > 0].tolist()) == {10, 11}


def test_what_only_excludes_is_no_seed() -> None:
    found = explained(a_history([1, 6], [0.0, 1.0]))

    assert found.seeds.tolist() == [6]
    assert 1 not in found.items


def test_seeds_come_by_how_much_of_the_whole_list_they_explain() -> None:
    found = explained(a_history([0, 3, 5, 8], [0.3, 1.0, 2.0, 0.1]))

    assert (np.diff((found.by_factors + found.by_neighbours).sum(axis=0)) <= 0).all()


def test_the_seeds_that_are_not_shown_are_one_part() -> None:
    found = explained(a_history([0, 3, 5, 8]))

    shown = found.by_seed(2)

    assert shown.shape == (5, 3)
    np.testing.assert_allclose(shown.sum(axis=1), found.sums)
