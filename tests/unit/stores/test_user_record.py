import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.behaviour import StoredUser
from recsys.core.errors import InvalidModel
from recsys.core.model import History
from recsys.stores.redis.byte_runs import join
from recsys.stores.redis.user_record import MAX_HISTORY, MAX_REPURCHASES, record_parts, unpack_user
from tests.builders import a_history, a_user_batch, repurchases

LENGTHS = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 300)), min_size=1, max_size=8)


def a_user(listed: int, history: int, seed: int = 0) -> StoredUser:
    random = np.random.default_rng(seed)
    return StoredUser(
        random.integers(0, 2**31 - 1, listed).astype(np.int32),
        random.random(listed).astype(np.float16).astype(np.float32),
        a_history(
            random.integers(0, 2**31 - 1, history).tolist(),
            random.random(history).tolist(),
            random.random(history) < 0.5,
            random.integers(0, 255, history).tolist(),
        ),
    )


def packed(*users: StoredUser) -> list[bytes]:
    block = a_user_batch({f"u{row}": user for row, user in enumerate(users)})
    data, offsets = join(record_parts(block))
    return [data[offsets[row] : offsets[row + 1]].tobytes() for row in range(len(users))]


def packed_value_by_value(user: StoredUser) -> bytes:
    """The layout, by the standard library and without any array."""
    n, h, history = len(user.items), len(user.history.items), user.history
    return b"".join(
        (
            struct.pack("<HH", n, h),
            struct.pack(f"<{n}i{n}e", *user.items.tolist(), *user.scores.tolist()),
            struct.pack(f"<{h}i{h}f", *history.items.tolist(), *history.strengths.tolist()),
            struct.pack(f"<{h}?", *history.excluded.tolist()),
            struct.pack(f"<{h}B", *history.steps.tolist()),
        )
    )


def test_a_record_of_a_release_that_knew_no_order_is_read() -> None:
    user = a_user(3, 5)

    read = unpack_user(packed_value_by_value(user)[:-5])

    assert read.history.items.tolist() == user.history.items.tolist()
    assert read.history.excluded.tolist() == user.history.excluded.tolist()
    assert read.history.steps.tolist() == [0] * 5


def test_more_steps_than_a_record_can_say_are_as_good_as_its_most() -> None:
    (record,) = packed(
        StoredUser(
            np.array([7], np.int32), np.ones(1, np.float32), a_history([1, 2], steps=[0, 70_000])
        )
    )
    assert unpack_user(record).history.steps.tolist() == [0, 255]


@given(LENGTHS, st.integers(0, 2**32 - 1))
def test_records_packed_together_are_those_packed_value_by_value(
    lengths: list[tuple[int, int]], seed: int
) -> None:
    users = [a_user(*both, seed=seed + row) for row, both in enumerate(lengths)]

    assert packed(*users) == [packed_value_by_value(user) for user in users]


@given(LENGTHS, st.integers(0, 2**32 - 1))
def test_a_record_survives_packing(lengths: list[tuple[int, int]], seed: int) -> None:
    users = [a_user(*both, seed=seed + row) for row, both in enumerate(lengths)]

    for user, record in zip(users, packed(*users), strict=True):
        read = unpack_user(record)
        assert read.items.tolist() == user.items.tolist()
        assert read.scores.tolist() == user.scores.tolist()
        for name in ("items", "strengths", "excluded", "steps"):
            assert getattr(read.history, name).tolist() == getattr(user.history, name).tolist()


def with_history(items: np.ndarray, strengths: np.ndarray) -> StoredUser:
    return StoredUser(
        np.array([7], np.int32), np.array([1], np.float32), a_history(items, strengths)
    )


def test_what_was_bought_again_is_at_the_end_of_a_record() -> None:
    again = repurchases([(5, 2, 10, 30), (9, 4, -3, 70)])
    users = [a_user(2, 3), replace(a_user(1, 2), repurchases=again), a_user(0, 0)]
    before, kept, after = map(unpack_user, packed(*users))
    assert [len(each.repurchases.items) for each in (before, kept, after)] == [0, 2, 0]
    for name, column in vars(again).items():
        assert getattr(kept.repurchases, name).tolist() == column.tolist()
    # A record of before it had them, or one that ends too early.
    whole = packed(*users)[1]
    assert len(unpack_user(packed_value_by_value(users[1])).repurchases.items) == 0
    for end in range(len(packed_value_by_value(users[1])) + 1, len(whole)):
        with pytest.raises(InvalidModel):
            unpack_user(whole[:end])


def test_of_endless_repurchases_the_latest_are_kept() -> None:
    endless = repurchases([(row, 2, 0, row) for row in range(MAX_REPURCHASES + 3)])
    users = [replace(a_user(1, 1), repurchases=endless), a_user(2, 2)]
    kept, after = map(unpack_user, packed(*users))
    assert kept.repurchases.items.tolist() == list(range(3, MAX_REPURCHASES + 3))
    assert len(after.items) == 2


def test_the_strongest_part_of_an_endless_history_is_kept() -> None:
    strengths = np.arange(MAX_HISTORY + 500)
    endless = with_history(strengths, strengths)

    before, kept, after = map(unpack_user, packed(a_user(5, 5), endless, a_user(3, 9)))

    assert kept.history.items.tolist() == list(range(500, MAX_HISTORY + 500))
    assert kept.history.strengths.tolist() == list(range(500, MAX_HISTORY + 500))
    assert kept.items.tolist() == [7]
    assert (len(before.history.items), len(after.history.items)) == (5, 9)


def test_of_an_endless_history_of_equals_the_first_part_is_kept() -> None:
    items = np.arange(MAX_HISTORY + 1)

    (record,) = packed(with_history(items, np.ones(len(items))))

    assert unpack_user(record).history.items.tolist() == list(range(MAX_HISTORY))


def test_what_excludes_stays_in_an_endless_history_however_weak_it_is() -> None:
    items = np.arange(MAX_HISTORY + 500)
    disliked = items % 100 == 0
    user = StoredUser(
        np.array([7], np.int32),
        np.array([1], np.float32),
        a_history(items, np.where(disliked, 0, 1 + items), disliked),
    )

    (record,) = packed(user)

    history = unpack_user(record).history
    assert len(history.items) == MAX_HISTORY
    assert history.items[history.excluded].tolist() == items[disliked].tolist()
    strongest = items[~disliked][-(MAX_HISTORY - disliked.sum()) :]
    assert history.items[~history.excluded].tolist() == strongest.tolist()


def test_a_history_of_the_greatest_length_stays_as_it_is() -> None:
    user = a_user(1, MAX_HISTORY)

    assert packed(user) == [packed_value_by_value(user)]


def test_a_score_past_the_range_of_float16_stays_finite_and_first() -> None:
    scores = np.array([1e9, 3.0, -1e9], np.float32)
    user = StoredUser(np.array([1, 2, 3], np.int32), scores, History.empty())

    (record,) = packed(user)

    largest = float(np.finfo(np.float16).max)
    assert unpack_user(record).scores.tolist() == [largest, 3.0, -largest]


def test_a_list_longer_than_the_header_can_say_is_refused() -> None:
    with pytest.raises(InvalidModel, match="65535"):
        packed(a_user(65536, 0))


@pytest.mark.parametrize("cut", [0, 3, 10])
def test_a_record_that_is_cut_off_is_refused(cut: int) -> None:
    (record,) = packed(a_user(5, 5))

    with pytest.raises(InvalidModel):
        unpack_user(record[:cut])
