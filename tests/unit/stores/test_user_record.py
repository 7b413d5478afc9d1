import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.errors import InvalidModel
from recsys.core.recommend import StoredUser
from recsys.stores.redis.user_record import MAX_HISTORY, pack_user, unpack_user
from tests.builders import a_history


def a_user(listed: int, history: int, seed: int = 0) -> StoredUser:
    random = np.random.default_rng(seed)
    return StoredUser(
        random.integers(0, 2**31 - 1, listed).astype(np.int32),
        random.random(listed).astype(np.float16).astype(np.float32),
        a_history(
            random.integers(0, 2**31 - 1, history).tolist(),
            random.random(history).tolist(),
            random.random(history) < 0.5,
        ),
    )


@given(st.integers(0, 100), st.integers(0, 300), st.integers(0, 2**32 - 1))
def test_a_record_survives_packing(listed: int, history: int, seed: int) -> None:
    user = a_user(listed, history, seed)
    read = unpack_user(pack_user(user))
    assert read.items.tolist() == user.items.tolist()
    assert read.scores.tolist() == user.scores.tolist()
    for name in ("items", "strengths", "excluded"):
        assert getattr(read.history, name).tolist() == getattr(user.history, name).tolist()


def test_the_strongest_part_of_an_endless_history_is_kept() -> None:
    strengths = np.arange(MAX_HISTORY + 500)
    user = StoredUser(
        np.empty(0, np.int32), np.empty(0, np.float32), a_history(strengths, strengths)
    )
    kept = unpack_user(pack_user(user)).history.items.tolist()
    assert kept == list(range(500, MAX_HISTORY + 500))


@pytest.mark.parametrize("cut", [0, 3, 10])
def test_a_record_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(InvalidModel):
        unpack_user(pack_user(a_user(5, 5))[:cut])
