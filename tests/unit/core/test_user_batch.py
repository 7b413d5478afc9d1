from dataclasses import replace

import numpy as np
import pytest

from recsys.core.behaviour import StoredUser
from recsys.core.errors import InvalidModel
from tests.builders import a_history, a_user_batch

ANN = StoredUser(
    np.array([3, 1], np.int32), np.array([2.0, 1.0], np.float32), a_history([0, 4, 5], [3, 2, 1])
)
BOB = StoredUser(np.empty(0, np.int32), np.empty(0, np.float32), a_history([2], excluded=False))
BLOCK = a_user_batch({"ann": ANN, "bob": BOB})


def test_a_user_of_a_block_has_list_and_history_without_padding() -> None:
    for row, user in enumerate((ANN, BOB)):
        taken = BLOCK.user(row)
        assert taken.items.tolist() == user.items.tolist()
        assert taken.scores.tolist() == user.scores.tolist()
        for name in ("items", "strengths", "excluded"):
            assert getattr(taken.history, name).tolist() == getattr(user.history, name).tolist()


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_ids": ["ann"]},
        {"scores": np.zeros((2, 3), np.float32)},
        {"lengths": np.array([2])},
        {"lengths": np.array([3, 0])},
        {"lengths": np.array([-1, 0])},
        {"indptr": np.array([0, 4])},
        {"indptr": np.array([1, 3, 4])},
        {"indptr": np.array([0, 3, 5])},
        {"indptr": np.array([0, 5, 4])},
        {"histories": a_history([1, 2])},
    ],
    ids=str,
)
def test_arrays_that_do_not_fit_each_other_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidModel, match="batch"):
        replace(BLOCK, **wrong)
