import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation import NO_ITEM, TestSet


def a_test_set(*pairs: tuple[int, int], known_users: int = 10, known_items: int = 10) -> TestSet:
    users, items = np.array(pairs, np.int64).reshape(-1, 2).T
    return TestSet.from_pairs(users, items, known_users, known_items)


def test_pairs_in_any_order_become_rows_of_users() -> None:
    test = a_test_set((7, 4), (2, 9), (7, 1), (2, 9))
    assert test.users.tolist() == [2, 7]
    assert test.indptr.tolist() == [0, 1, 3]
    assert test.items.tolist() == [9, 1, 4]
    assert test.relevant.tolist() == [1, 2]
    assert test.pair_users.tolist() == [2, 7, 7]


def test_no_pairs_are_no_users() -> None:
    test = a_test_set()
    assert len(test) == 0
    assert test.indptr.tolist() == [0]


def test_items_that_training_does_not_know_are_counted_and_stay_relevant() -> None:
    test = a_test_set((0, 3), (0, 10), (1, 11))
    assert test.unknown_pairs == 2
    assert test.relevant.tolist() == [2, 1]


def test_some_users_of_a_test_set() -> None:
    test = a_test_set((0, 3), (1, 4), (1, 5), (3, 6)).only(np.array([False, True, True]))
    assert test.users.tolist() == [1, 3]
    assert test.indptr.tolist() == [0, 2, 3]
    assert test.items.tolist() == [4, 5, 6]


def test_some_pairs_of_a_test_set_are_of_the_users_who_have_any() -> None:
    test = a_test_set((0, 3), (1, 4), (1, 5), (3, 6), (3, 7))
    some = test.only_pairs(np.array([False, False, True, True, True]))
    assert some.users.tolist() == [1, 3]
    assert some.indptr.tolist() == [0, 1, 3]
    assert some.items.tolist() == [5, 6, 7]
    assert len(test.only_pairs(np.zeros(5, np.bool_))) == 0


def test_padding_is_no_hit_beside_the_highest_item_of_the_user_before() -> None:
    """The keys that are searched must not run from one user into the next."""
    test = a_test_set((0, 9), (1, 0))
    lists = np.array([[1, NO_ITEM], [NO_ITEM, NO_ITEM]], np.int32)
    assert not test.hits(lists).any()


@given(st.data())
def test_hits_are_the_listed_items_that_are_relevant(data: st.DataObject) -> None:
    rows = st.sets(st.integers(0, 12), min_size=1)
    relevant = data.draw(st.lists(rows, min_size=1, max_size=5))
    lists = [data.draw(st.permutations(range(10)).map(lambda order: order[:3])) for _ in relevant]
    test = a_test_set(*((user, item) for user, items in enumerate(relevant) for item in items))
    expected = [
        [item in items for item in listed] for items, listed in zip(relevant, lists, strict=True)
    ]
    assert test.hits(np.array(lists, np.int32)).tolist() == expected
