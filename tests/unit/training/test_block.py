from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from recsys.training.als.block import Block, block_of

USERS, ITEMS = np.array([2, 0, 2], np.int32), np.array([3, 1, 0], np.int32)
BLOCK = block_of(USERS, ITEMS, np.array([0.5, 1.0, 2.0], np.float32), (3, 5))


def same(a: csr_matrix, b: csr_matrix) -> bool:
    return a.shape == b.shape and np.array_equal(a.toarray(), b.toarray())


def test_a_block_has_its_entries_by_user_and_by_item() -> None:
    expected = np.zeros((3, 5))
    expected[USERS, ITEMS] = [0.5, 1, 2]
    assert np.array_equal(BLOCK.by_user.toarray(), expected)
    assert np.array_equal(BLOCK.by_item.toarray(), expected.T)


def test_entries_in_another_order_make_the_same_block() -> None:
    order = [1, 2, 0]
    strengths = np.array([1.0, 2.0, 0.5], np.float32)
    other = block_of(USERS[order], ITEMS[order], strengths, (3, 5))
    assert np.array_equal(other.by_user.indices, BLOCK.by_user.indices)
    assert np.array_equal(other.by_user.data, BLOCK.by_user.data)


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    BLOCK.save(tmp_path / "block")
    loaded = Block.load(tmp_path / "block", (3, 5))
    assert same(loaded.by_user, BLOCK.by_user)
    assert same(loaded.by_item, BLOCK.by_item)


def test_saving_again_replaces_and_leaves_no_other_files(tmp_path: Path) -> None:
    for _ in range(2):
        BLOCK.save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 6


def test_a_block_without_entries_can_be_saved(tmp_path: Path) -> None:
    none = np.empty(0, np.int32)
    block_of(none, none, none.astype(np.float32), (2, 3)).save(tmp_path)
    assert Block.load(tmp_path, (2, 3)).by_item.shape == (3, 2)


def test_the_transposed_block_swaps_users_and_items() -> None:
    assert same(BLOCK.transposed().by_user, BLOCK.by_item)
