import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.explanation import explain
from recsys.core.scoring import score_users
from recsys.core.user_factors import history_factors
from tests.builders import a_history, an_item_model, scoring_params


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(0, 11))
def test_the_parts_add_up_to_the_score(seed: int, length: int, item: int) -> None:
    random = np.random.default_rng(seed)
    items = an_item_model(12, seed=seed, trend=random.uniform(0.5, 2, 12).astype(np.float32))
    had = random.choice(12, length, replace=False)
    history = a_history(had, random.uniform(-2, 2, length), excluded=False)
    params = scoring_params(neighbour_weight=0.7)
    factors = history_factors(items, params, history)
    expected = score_users(factors[np.newaxis], items, [history], 0.7)[0, item]
    assert explain(items, params, history, item).score == pytest.approx(expected, abs=1e-4)


def test_what_does_not_count_explains_nothing_and_the_rest_comes_strongest_first() -> None:
    history = a_history([0, 3, 4], [0.0, 0.2, 2.0], excluded=False)
    found = explain(an_item_model(), scoring_params(neighbour_weight=5.0), history, 5)
    assert sorted(found.seeds.tolist()) == [3, 4]
    parts = found.by_factors + found.by_neighbours
    assert parts[0] >= parts[1]


def test_a_dislike_takes_away_by_neighbours_and_says_nothing_of_factors() -> None:
    history = a_history([0, 3], [-2.0, 1.0], excluded=False)
    found = explain(an_item_model(), scoring_params(neighbour_weight=5.0), history, 1)
    disliked = found.seeds.tolist().index(0)
    assert found.by_factors[disliked] == 0
    assert found.by_neighbours[disliked] == pytest.approx(5.0 * -2.0 * 0.9)


def test_only_items_that_have_it_as_a_neighbour_count_by_neighbours() -> None:
    """Item 1 is the nearest neighbour of item 0, and none of item 3."""
    history = a_history([0, 3], [2.0, 1.0], excluded=False)
    found = explain(an_item_model(), scoring_params(neighbour_weight=5.0), history, 1)
    by_seed = dict(zip(found.seeds.tolist(), found.by_neighbours.tolist(), strict=True))
    assert by_seed == {0: pytest.approx(5.0 * 2.0 * 0.9), 3: 0.0}
