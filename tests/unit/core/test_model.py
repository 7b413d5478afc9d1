import numpy as np
import pytest

from recsys.core.errors import InvalidModel
from recsys.core.model import UserModel
from recsys.core.vocabulary import Vocabulary
from tests.builders import a_history, a_user_model, an_item_model


@pytest.mark.parametrize(
    "changes",
    [
        {"titles": ("only one",)},
        {"factors": np.full((6, 3), np.nan, np.float32)},
        {"factors": np.ones((5, 3), np.float32)},
        {"popular": np.arange(1, 7, dtype=np.int32)},
        {"neighbours": np.full((6, 2), 6, np.int32)},
        {"factors": np.ones(6, np.float32)},
        {"factors": np.ones((6, 3), np.int32)},
        {"popular": np.full(6, -1, np.int32)},
        {"popular": np.ones((6, 1), np.int32)},
        {"neighbours": np.full((6, 2), -2, np.int32)},
        {"neighbours": np.ones(6, np.int32), "neighbour_scores": np.ones(6, np.float32)},
        {"neighbour_scores": np.ones((6, 1), np.float32)},
        {"neighbour_scores": np.full((6, 2), np.nan, np.float32)},
        {"eligible": np.ones(7, np.bool_)},
        {"trend": np.ones(5, np.float32)},
        {"trend": np.zeros(6, np.float32)},
        {"trend": np.full(6, np.nan, np.float32)},
        {"partners": np.full((6, 2), 6, np.int32)},
        {"partners": np.ones((5, 2), np.int32), "partner_scores": np.ones((5, 2), np.float32)},
        {"partners": np.ones((6, 1), np.int32)},
        {"partners": None},
        {"rising": np.array([0, 6], np.int32)},
        {"rising": np.ones((6, 1), np.int32)},
        {"partner_scores": np.full((6, 2), np.nan, np.float32)},
        {"partner_scores": np.ones((6, 2), np.int32)},
    ],
)
def test_an_item_model_that_does_not_fit_together_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidModel):
        an_item_model(**changes)  # type: ignore[arg-type]


def test_an_item_without_factors_cannot_be_scored() -> None:
    factors = np.ones((3, 2), np.float32)
    factors[1] = 0
    side = an_item_model(3, factors=factors, eligible=np.array([True, True, False]))
    assert side.recommendable.tolist() == [True, False, False]


def test_each_user_has_its_own_history() -> None:
    users = a_user_model([a_history([4, 1]), a_history([]), a_history([2])])
    assert [users.history(row).items.tolist() for row in range(3)] == [[4, 1], [], [2]]


@pytest.mark.parametrize(
    ("rows", "indptr", "items"),
    [
        (range(3), [0, 2, 2, 3], [4, 1, 2]),
        (range(1, 3), [0, 0, 1], [2]),
        (range(1, 2), [0, 0], []),
        (range(2, 2), [0], []),
    ],
    ids=str,
)
def test_histories_of_some_users_begin_with_the_first_of_them(
    rows: range, indptr: list[int], items: list[int]
) -> None:
    users = a_user_model([a_history([4, 1]), a_history([]), a_history([2])])

    offsets, histories = users.histories_of(rows)

    assert offsets.tolist() == indptr
    assert histories.items.tolist() == items


def test_a_user_model_that_does_not_fit_together_is_refused() -> None:
    users = a_user_model([a_history([1])])
    with pytest.raises(InvalidModel):
        UserModel(Vocabulary(["a", "b"]), users.factors, users.indptr, users.histories)
    with pytest.raises(InvalidModel):
        UserModel(users.ids, np.full((1, 3), np.inf, np.float32), users.indptr, users.histories)
