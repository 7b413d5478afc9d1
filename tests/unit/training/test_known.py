"""What nobody did or wanted changes nothing of what is learnt from the others."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from recsys.core.model import History, TrainedModel
from recsys.core.user_factors import history_factors
from recsys.training.als import AlsSettings, Device, Trained, fit_known, train_als
from recsys.training.build import BuiltModel, build_model
from recsys.training.event_log import pairs_of
from recsys.training.settings import ModelSettings
from tests.builders import an_event_log, scoring_params

ALS = AlsSettings(factors=4, iterations=3, device=Device.CPU)


def strengths_of(users: int, items: int, seed: int = 0) -> csr_matrix:
    random = np.random.default_rng(seed)
    dense = random.random((users, items)) * (random.random((users, items)) < 0.4)
    dense[np.arange(users), np.arange(users) % items] = 1
    dense[np.arange(items) % users, np.arange(items)] = 1
    return csr_matrix(dense.astype(np.float32))


def fitted(strengths: csr_matrix) -> Trained:
    return fit_known(train_als, strengths, ALS, lambda _: None)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.booleans(), min_size=12, max_size=30),
    st.lists(st.booleans(), min_size=12, max_size=30),
)
def test_rows_and_columns_of_zeros_change_no_other_factor(
    has_user: list[bool], has_item: list[bool]
) -> None:
    users, items = np.array(has_user), np.array(has_item)
    users[:2] = items[:2] = True
    some = strengths_of(users.sum(), items.sum())
    whole = np.zeros((len(users), len(items)), np.float32)
    whole[np.ix_(users, items)] = some.toarray()

    expected, found = train_als(some, ALS), fitted(csr_matrix(whole))

    assert found.alpha == expected.alpha
    assert np.array_equal(found.user_factors[users], expected.user_factors)
    assert np.array_equal(found.item_factors[items], expected.item_factors)
    assert not found.user_factors[~users].any()
    assert not found.item_factors[~items].any()


def test_a_matrix_without_empty_rows_is_handed_on_as_it_is() -> None:
    strengths, seen = strengths_of(6, 5), []

    def fit(matrix: csr_matrix, *others: object) -> Trained:
        seen.append(matrix)
        return train_als(matrix, ALS)

    fit_known(fit, strengths, ALS, lambda _: None)

    assert seen[0] is strengths


EVENTS = [(f"u{u}", f"i{i:03}") for u, i in np.argwhere(strengths_of(30, 20).toarray())]
SETTINGS = ModelSettings(ALS, neighbours=5)


def built(catalogue: int) -> BuiltModel:
    pairs = pairs_of(an_event_log(EVENTS), 180.0, 14.0, [f"i{n:03}" for n in range(catalogue)])
    items = len(pairs.items)
    return build_model(pairs, ("",) * items, np.ones(items, np.bool_), SETTINGS)


def test_a_catalogue_of_items_that_nobody_wanted_changes_no_score() -> None:
    alone, among_many = built(20), built(500)
    assert np.array_equal(among_many.items.factors[:20], alone.items.factors)
    assert np.array_equal(among_many.users.factors, alone.users.factors)
    assert np.array_equal(among_many.items.neighbours[:20], alone.items.neighbours)
    assert among_many.neighbour_weight == alone.neighbour_weight


def test_fold_in_finds_the_factors_of_training_whatever_the_catalogue_holds() -> None:
    model = built(500)
    params = scoring_params(
        alpha=model.trained.alpha,
        regularization=ALS.regularization,
        frequency_weight=ALS.frequency_weight,
        known_items=model.known_items,
    )
    trained = TrainedModel(params, model.items, model.users)

    def folded(history: History) -> np.ndarray:
        return history_factors(trained.items, params, history)

    assert model.known_items == 20
    for row in range(len(model.users.ids)):
        assert np.allclose(
            folded(model.users.history(row)), model.users.factors[row], rtol=2e-2, atol=2e-3
        )
