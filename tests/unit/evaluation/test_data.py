import numpy as np
import pytest

from recsys.core.errors import NoData
from recsys.evaluation.data import Mask, judged_data
from recsys.runtime.shop import load_shop
from tests.builders import an_event_log

SHOP = load_shop()
TRAIN = an_event_log(
    [("a", "x"), ("a", "y"), ("b", "y"), ("gone", "z"), ("gone", "z")],
    types=["purchase", "view", "purchase", "purchase", "dislike"],
)


def test_users_are_known_or_cold_and_none_is_lost() -> None:
    """Cold are strangers and those whose behaviour cancels out."""
    test = an_event_log([("b", "x"), ("gone", "x"), ("new", "x"), ("newer", "x")])
    data = judged_data(TRAIN, test, SHOP, Mask.ALL)
    assert data.known.users.tolist() == [data.pairs.users.index_of("b")]
    assert len(data.cold) == 3


def test_all_items_of_training_are_masked_or_those_that_exclude() -> None:
    test = an_event_log([("a", "x"), ("a", "y"), ("a", "z")])
    everything, excluded = (judged_data(TRAIN, test, SHOP, mask) for mask in Mask)
    assert everything.pairs.excluded.all()
    assert everything.masked_pairs == 2
    assert excluded.pairs.excluded.tolist() == [True, False, True, True]
    assert excluded.masked_pairs == 1
    assert everything.known.relevant.tolist() == excluded.known.relevant.tolist() == [3]


def test_only_goals_are_judged_by() -> None:
    test = an_event_log([("a", "z"), ("a", "y")], types=["purchase", "view"])
    data = judged_data(TRAIN, test, SHOP, Mask.ALL)
    assert data.known.items.tolist() == [data.pairs.items.index_of("z")]


def test_items_that_training_does_not_know_are_counted() -> None:
    data = judged_data(TRAIN, an_event_log([("a", "new"), ("a", "z")]), SHOP, Mask.ALL)
    assert data.known.unknown_pairs == 1
    assert data.known.relevant.tolist() == [2]


@pytest.mark.parametrize(
    ("train", "test", "reason"),
    [
        (an_event_log([("a", "x")], values=[0]), an_event_log([("a", "x")]), "nothing to train on"),
        (an_event_log([("a", "x")], values=[-1]), an_event_log([("a", "x")]), "positive weight"),
        (TRAIN, an_event_log([("a", "z")], types=["view"]), r"none .* is a goal \(purchase\)"),
        (TRAIN, an_event_log([("a", "z")], values=[-2]), "zero or less"),
        (TRAIN, an_event_log([("stranger", "z")]), "no user of the test file"),
    ],
)
def test_files_that_nothing_can_be_judged_by_are_refused(
    train: object, test: object, reason: str
) -> None:
    with pytest.raises(NoData, match=reason):
        judged_data(train, test, SHOP, Mask.ALL)  # type: ignore[arg-type]


def test_every_item_of_training_may_be_listed() -> None:
    data = judged_data(TRAIN, an_event_log([("a", "z")]), SHOP, Mask.ALL)
    assert np.array_equal(data.behaviour.eligible, np.ones(3, np.bool_))
