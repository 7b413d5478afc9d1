import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.explanation import Explanation, explain
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.scoring import KnownItems, score_users
from recsys.core.user_factors import history_factors
from tests.builders import a_history, an_item_model, scoring_params


def explained(
    items: ItemModel, params: ScoringParams, history: History, rows: list[int]
) -> Explanation:
    seen, wanted = KnownItems.of(items, history.items), KnownItems.of(items, np.array(rows))
    return explain(items, params, history, seen, wanted)


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
    assert explained(items, params, history, [item]).scores == pytest.approx([expected], abs=1e-4)


def test_items_are_taken_apart_together_as_each_alone() -> None:
    items = an_item_model(12, trend=np.linspace(0.5, 2, 12).astype(np.float32))
    params = scoring_params(neighbour_weight=0.7)
    history = a_history([7, 2, 4, 9], [1.0, 0.5, 2.0, -0.7])
    found = explained(items, params, history, [10, 3, 0])
    for place, row in enumerate([10, 3, 0]):
        alone = explained(items, params, history, [row])
        for name in ("by_factors", "by_neighbours", "by_order"):
            expected = getattr(alone, name)[0]
            np.testing.assert_allclose(getattr(found, name)[place], expected, atol=1e-6)


def test_what_does_not_count_explains_nothing() -> None:
    history = a_history([0, 3, 4], [0.0, 0.2, 2.0], excluded=False)
    found = explained(an_item_model(), scoring_params(neighbour_weight=5.0), history, [5])
    assert found.seeds.tolist() == [3, 4]


def test_a_dislike_takes_away_by_neighbours_and_says_nothing_of_factors() -> None:
    history = a_history([0, 3], [-2.0, 1.0], excluded=False)
    found = explained(an_item_model(), scoring_params(neighbour_weight=5.0), history, [1])
    disliked = found.seeds.tolist().index(0)
    assert found.by_factors[0, disliked] == 0
    assert found.by_neighbours[0, disliked] == pytest.approx(5.0 * -2.0 * 0.9)


def test_only_items_that_have_it_as_a_neighbour_count_by_neighbours() -> None:
    """Item 1 is the nearest neighbour of item 0, and none of item 3."""
    history = a_history([0, 3], [2.0, 1.0], excluded=False)
    found = explained(an_item_model(), scoring_params(neighbour_weight=5.0), history, [1])
    by_seed = dict(zip(found.seeds.tolist(), found.by_neighbours[0].tolist(), strict=True))
    assert by_seed == {0: pytest.approx(5.0 * 2.0 * 0.9), 3: 0.0}
