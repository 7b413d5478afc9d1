import numpy as np

from recsys.training.interactions import InteractionMatrix, make_pairs, pairs_from_codes


def some_pairs(catalogue: tuple[str, ...] = ()) -> InteractionMatrix:
    return make_pairs(
        user_ids=np.array(["b", "a", "b", "a"], object),
        item_ids=np.array(["y", "y", "x", "z"], object),
        strengths=np.array([3.0, -0.5, 1.0, 2.0]),
        recent_strengths=np.array([9.0, 0.4, 0.3, 0.2]),
        excluded=np.array([True, False, False, True]),
        catalogue=catalogue,
    )


def test_rows_are_ordered_by_the_bytes_of_ids() -> None:
    pairs = some_pairs()
    assert list(pairs.users) == ["a", "b"]
    assert list(pairs.items) == ["x", "y", "z"]
    assert pairs.indptr.tolist() == [0, 2, 4]
    assert pairs.item_indices.tolist() == [1, 2, 0, 1]


def test_the_matrix_holds_positive_strengths_only() -> None:
    matrix = some_pairs().matrix()
    assert matrix.toarray().tolist() == [[0, 0, 2], [1, 3, 0]]
    assert matrix.nnz == 3


def test_what_takes_away_stays_in_the_history() -> None:
    histories = some_pairs().histories()
    assert histories.strengths.tolist() == [-0.5, 2, 1, 3]
    assert histories.excluded.tolist() == [False, True, False, True]


def test_an_item_of_the_catalogue_that_nobody_touched_has_a_row() -> None:
    assert list(some_pairs(catalogue=("w", "x")).items) == ["w", "x", "y", "z"]


def test_steps_count_the_later_moments_of_the_user() -> None:
    pairs = make_pairs(
        user_ids=np.array(["a", "a", "b", "a", "a", "a"], object),
        item_ids=np.array(["x", "y", "y", "z", "x", "w"], object),
        strengths=np.ones(6),
        recent_strengths=np.ones(6),
        excluded=np.ones(6, np.bool_),
        times_ms=np.array([1, 2, 1, 3, 4, 2]),
    )
    # Of a: w and y at 2, z at 3, x again at 4; of b: y.
    assert pairs.item_indices.tolist() == [0, 1, 2, 3, 2]
    assert pairs.steps.tolist() == [2, 0, 2, 1, 0]
    assert pairs.is_ordered


def test_without_times_there_is_no_order() -> None:
    assert not some_pairs().is_ordered
    assert some_pairs().steps.tolist() == [0, 0, 0, 0]


def test_the_faded_matrix_halves_with_the_steps() -> None:
    pairs = make_pairs(
        user_ids=np.array(["a", "a"], object),
        item_ids=np.array(["x", "y"], object),
        strengths=np.array([4.0, 1.0]),
        recent_strengths=np.ones(2),
        excluded=np.ones(2, np.bool_),
        times_ms=np.array([1, 2]),
    )
    assert pairs.faded_matrix(1.0).toarray().tolist() == [[2.0, 1.0]]
    assert pairs.faded_matrix(None).toarray().tolist() == [[4.0, 1.0]]


def late(times_ms: list[int] | None, *, with_ages: bool = True) -> list[bool]:
    """Of a shop of 20 pairs, the last two of them with items c and d, and one item nobody had."""
    items = ["a", "b"] * 9 + ["c", "d"]
    ones = np.ones(20)
    pairs = pairs_from_codes(
        [f"u{row:02}" for row in range(20)],
        ["a", "b", "c", "d", "nobody's"],
        np.arange(20, dtype=np.int32),
        np.array(["abcd".index(item) for item in items], np.int32),
        ones,
        ones if with_ages else None,
        np.zeros(20, np.bool_),
        None if times_ms is None else np.array(times_ms, np.int64),
    )
    return pairs.found_lately.tolist()


def test_items_of_the_last_tenth_of_pairs_alone_were_found_lately() -> None:
    assert late(list(range(20))) == [False, False, True, True, False]
    # The third last pair is of a and the fourth last of b, which others had long before.
    assert late([*range(16), 99, 98, 97, 96]) == [False] * 5


def test_without_ages_nothing_was_found_lately() -> None:
    assert late(None) == [False] * 5
    assert late(list(range(20)), with_ages=False) == [False] * 5


def test_of_one_moment_all_items_were_found_lately() -> None:
    assert late([7] * 20) == [True] * 4 + [False]
