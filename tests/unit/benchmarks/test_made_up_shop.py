"""The shop that serving is measured with."""

import numpy as np
import pytest

from benchmarks.serving.made_up_shop import LIST_LENGTH, MadeUpShop, blocks, made_up_items
from recsys.core.serving.lists import Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.pipeline import recommend_for_user
from tests.builders import scoring_params

SHOPS = [MadeUpShop(users=300, items=200, factors=4), MadeUpShop(users=30, items=20_000, factors=4)]


@pytest.mark.parametrize("shop", SHOPS)
def test_lists_are_whole_and_hold_no_item_twice_nor_one_of_the_history(shop: MadeUpShop) -> None:
    for block in blocks(shop, np.random.default_rng(1)):
        for row in range(len(block.user_ids)):
            user = block.user(row)

            assert len(set(user.items.tolist())) == LIST_LENGTH
            assert user.items.max() < shop.items
            assert not set(user.items.tolist()) & set(user.history.items.tolist())


def test_a_stored_list_answers_without_filling_up() -> None:
    """Otherwise the search for popular items would be measured."""
    shop = SHOPS[0]
    random = np.random.default_rng(1)
    items = made_up_items(shop, random)
    [block] = blocks(shop, random)

    answer = recommend_for_user(ServingModel.of(items, scoring_params()), block.user(0), [], 20)

    assert answer.source is Source.STORED
    assert [entry.item_index for entry in answer.ranked] == block.items[0, :20].tolist()


def test_every_user_is_in_one_block() -> None:
    shop = MadeUpShop(users=10_000, items=1000, factors=4)

    found = [one for block in blocks(shop, np.random.default_rng(1)) for one in block.user_ids]

    assert found == shop.user_ids()
