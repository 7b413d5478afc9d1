import numpy as np
import pytest

from recsys.config.shop import load_shop
from recsys.core.errors import ConfigurationError, NoData
from recsys.evaluation import EvaluationData, Mask, Relation, evaluation_data, given_split
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from tests.builders import an_event_log

SHOP = load_shop()
TRAIN = an_event_log(
    [("a", "x"), ("a", "y"), ("b", "y"), ("gone", "z"), ("gone", "z")],
    types=["purchase", "view", "purchase", "purchase", "dislike"],
)


def data_of(train: EventLog, test: EventLog, mask: Mask = Mask.ALL) -> EvaluationData:
    return evaluation_data(given_split(train, test), SHOP, mask)


def test_users_are_known_or_cold_and_none_is_lost() -> None:
    """Cold are strangers and those whose behaviour cancels out."""
    test = an_event_log([("b", "x"), ("gone", "x"), ("new", "x"), ("newer", "x")])
    data = data_of(TRAIN, test)
    assert data.known.users.tolist() == [data.pairs.users.index_of("b")]
    assert len(data.cold) == 3


def test_all_items_of_training_are_masked_or_those_that_exclude() -> None:
    test = an_event_log([("a", "x"), ("a", "y"), ("a", "z")])
    everything, excluded = (data_of(TRAIN, test, mask) for mask in Mask)
    assert everything.pairs.excluded.all()
    assert everything.masked_pairs == 2
    assert excluded.pairs.excluded.tolist() == [True, False, True, True]
    assert excluded.masked_pairs == 1
    assert everything.known.relevant.tolist() == excluded.known.relevant.tolist() == [3]


def test_a_mask_is_known_by_its_name_and_no_other_stands_in_for_it() -> None:
    test = an_event_log([("a", "x"), ("a", "y"), ("a", "z")])
    for mask in Mask:
        by_name = data_of(TRAIN, test, mask.value)  # type: ignore[arg-type]
        assert by_name.masked_pairs == data_of(TRAIN, test, mask).masked_pairs
    with pytest.raises(ValueError, match="'none' is not a valid Mask"):
        data_of(TRAIN, test, "none")  # type: ignore[arg-type]


def test_a_weight_of_no_type_of_the_shop_is_refused() -> None:
    split = given_split(TRAIN, an_event_log([("a", "z")]))
    settings = ModelSettings(event_weights={"purchse": 7.0})
    with pytest.raises(ConfigurationError, match=r"event_weights\.purchse"):
        evaluation_data(split, SHOP, settings=settings)


def test_only_goals_are_judged_by() -> None:
    test = an_event_log([("a", "z"), ("a", "y")], types=["purchase", "view"])
    data = data_of(TRAIN, test)
    assert data.known.items.tolist() == [data.pairs.items.index_of("z")]


def test_items_that_training_does_not_know_are_counted() -> None:
    data = data_of(TRAIN, an_event_log([("a", "new"), ("a", "z")]))
    assert data.known.unknown_pairs == 1
    assert data.known.relevant.tolist() == [2]


@pytest.mark.parametrize(
    ("train", "test", "reason"),
    [
        (an_event_log([("a", "x")], values=[0]), an_event_log([("a", "x")]), "nothing to train on"),
        (an_event_log([("a", "x")], values=[-1]), an_event_log([("a", "x")]), "positive weight"),
        (TRAIN, an_event_log([("a", "z")], types=["view"]), r"none .* is a goal \(purchase\)"),
        (TRAIN, an_event_log([("a", "z")], values=[-2]), "zero or less"),
        (TRAIN, an_event_log([("stranger", "z")]), "no user of the test has"),
    ],
)
def test_files_that_nothing_can_be_judged_by_are_refused(
    train: object, test: object, reason: str
) -> None:
    with pytest.raises(NoData, match=reason):
        data_of(train, test)  # type: ignore[arg-type]


def test_every_item_of_training_may_be_listed() -> None:
    data = data_of(TRAIN, an_event_log([("a", "z")]))
    assert np.array_equal(data.behaviour.eligible, np.ones(3, np.bool_))


def test_pairs_are_warm_or_cold_by_whether_their_item_has_behaviour_in_training() -> None:
    """Cold is what training does not know, and what it knows but nobody wanted."""
    data = data_of(TRAIN, an_event_log([("a", "new"), ("a", "z"), ("b", "x"), ("b", "z")]))
    items = data.pairs.items
    assert data.warm_pairs.users.tolist() == [data.pairs.users.index_of("b")]
    assert data.warm_pairs.items.tolist() == [items.index_of("x")]
    assert data.cold_pairs.relevant.tolist() == [2, 1]
    known = data.cold_pairs.items < len(items)
    assert set(data.cold_pairs.items[known].tolist()) == {items.index_of("z")}
    assert data.cold_pairs.unknown_pairs == 1


def test_times_count_as_ages_only_where_the_test_is_the_future_of_all_training() -> None:
    day_ms = 86_400_000
    pairs = [("a", "x"), ("b", "y"), ("a", "y"), ("b", "x")]
    train = an_event_log(pairs, times=[0, 0, 9 * day_ms, 9 * day_ms])
    future = data_of(train, an_event_log([("a", "z")], times=[10 * day_ms]))
    own_future = data_of(train, an_event_log([("a", "z")], times=[9 * day_ms]))
    unrelated = data_of(train, an_event_log([("a", "z")], times=[5 * day_ms]))
    assert future.pairs.strengths.min() < 1
    for data in (own_future, unrelated):
        assert data.pairs.strengths.tolist() == [1, 1, 1, 1]
    relations = [data.relation for data in (future, own_future, unrelated)]
    assert relations == list(Relation)


def test_sequences_are_there_when_asked_for_and_order_means_something() -> None:
    train = an_event_log([("a", "x"), ("b", "y"), ("a", "y")], times=[5, 5, 9])
    for at_ms, has_order in ((10, True), (1, False)):
        split = given_split(train, an_event_log([("a", "z")], times=[at_ms]))
        assert evaluation_data(split, SHOP).sequences is None
        found = evaluation_data(split, SHOP, with_sequences=True).sequences
        assert (found is not None) == has_order
