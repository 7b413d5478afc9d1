"""Data of an evaluation: the interaction matrix, and the relevant items of test users."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.config.shop import Shop
from recsys.core.domain import Item
from recsys.core.errors import NoData
from recsys.evaluation.held_out import TestSet
from recsys.evaluation.protocol import Split
from recsys.evaluation.relation import Relation
from recsys.evaluation.report import Behaviour
from recsys.evaluation.score_functions import has_behaviour, is_known
from recsys.evaluation.sequences import Sequences, sequences_of
from recsys.evaluation.splits import held_out_targets
from recsys.training.content import ItemContent
from recsys.training.event_log import EventLog, pairs_of
from recsys.training.interactions import InteractionMatrix
from recsys.training.settings import ModelSettings


class Mask(StrEnum):
    """Items left out of a user's list.

    ALL: every item the user has in training, the custom of published comparisons.
    EXCLUDED: items with an event whose type excludes, as the shop does: who only looked at an item
        may still be recommended it.
    """

    ALL = "all"
    EXCLUDED = "excluded"


def masked_by(mask: Mask, pairs: InteractionMatrix) -> InteractionMatrix:
    """The pairs, with those excluded that the mask leaves out of lists.

    Raises:
        ValueError: for a mask that there is not.
    """
    # A notebook may name it, and must not get the other one.
    if Mask(mask) is Mask.EXCLUDED:
        return pairs
    return replace(pairs, excluded=np.ones_like(pairs.excluded))


@dataclass(frozen=True)
class EvaluationData:
    """Pairs to train on and the test set.

    Attributes:
        known: users with behaviour of positive weight in training.
        cold: all others; the system answers them with popular items.
        masked_pairs: pairs of the test that no list can hold, since the mask leaves them out. They
            count as relevant all the same.
        relation: what the times of training mean. With USER_FUTURE `pairs` have no ages, and only
            `sequences` know of time.
        content: of the items, in the order of their rows, where it is known.
        sequences: what users did in order of time, where that was asked for and means something.
    """

    pairs: InteractionMatrix
    known: TestSet
    cold: TestSet
    masked_pairs: int
    relation: Relation
    content: ItemContent | None = None
    sequences: Sequences | None = None

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """(n,) bool: every item of training, and of the catalogue where there is one."""
        return np.ones(len(self.pairs.items), np.bool_)

    @cached_property
    def behaviour(self) -> Behaviour:
        return Behaviour(self.pairs.matrix(), self.eligible)

    @cached_property
    def warm_pairs(self) -> TestSet:
        """Test pairs of known users whose item has behaviour in training."""
        return self.known.only_pairs(self._is_warm(self.known))

    @cached_property
    def cold_pairs(self) -> TestSet:
        """Test pairs of known users whose item has none: only its content could tell of it."""
        return self.known.only_pairs(~self._is_warm(self.known))

    def _is_warm(self, test: TestSet) -> NDArray[np.bool_]:
        return is_known(test.items, self.behaviour.matrix.getnnz(axis=0) > 0)


def evaluation_data(
    split: Split,
    shop: Shop,
    mask: Mask = Mask.ALL,
    *,
    settings: ModelSettings | None = None,
    items: Sequence[Item] = (),
    with_sequences: bool = False,
) -> EvaluationData:
    """Pair up the training events, and sort the test's users into known and cold ones.

    Args:
        settings: say what events count; None for those that training starts with.
        items: the catalogue; all of it may be recommended.
        with_sequences: for models that learn from order; they take 8 bytes an event.

    Raises:
        ConfigurationError: when a weight is of a type that the shop does not have.
        NoData: when nothing can be trained on, or no known user is left to judge by.
    """
    train, test = split.timed_train(), split.test
    settings = settings or ModelSettings().as_fixed_by(shop)
    settings.refuse_unknown_types(shop)
    train = train.with_weights(settings.event_weights)
    pairs = pairs_of(train, *settings.half_lives, [item.item_id for item in items])
    behaviour = has_behaviour(pairs)
    if not behaviour.any():
        raise NoData("the training events have no positive weight: nothing to train on")
    pairs = masked_by(mask, pairs)
    wanted = held_out_targets(test, pairs.users, pairs.items)
    if not len(wanted):
        raise NoData("the test has no event to judge by: " + _why_not(test, shop))
    known = is_known(wanted.users, behaviour)
    if not known.any():
        raise NoData("no user of the test has behaviour in training")
    ordered = with_sequences and split.relation is not Relation.UNRELATED
    return EvaluationData(
        pairs,
        wanted.only(known),
        wanted.only(~known),
        _masked_pairs(pairs, wanted),
        split.relation,
        _content(pairs, items, split) if items else None,
        sequences_of(split.train, pairs.users, pairs.items) if ordered else None,
    )


def _content(pairs: InteractionMatrix, items: Sequence[Item], split: Split) -> ItemContent:
    known = {item.item_id: item for item in items}
    is_dated = split.relation is Relation.GLOBAL_FUTURE
    as_of_ms = int(split.train.times_ms().max()) if is_dated else None
    return ItemContent.from_items((known.get(name) or Item(name) for name in pairs.items), as_of_ms)


def _why_not(test: EventLog, shop: Shop) -> str:
    if np.array(test.target_types)[test.types].any():
        return "values add up to zero or less"
    return f"none of its event types is a goal ({', '.join(shop.target_types)})"


def _masked_pairs(pairs: InteractionMatrix, wanted: TestSet) -> int:
    users = wanted.pair_users
    inside = (users < wanted.known_users) & (wanted.items < wanted.known_items)
    excluded = csr_matrix((pairs.excluded, pairs.item_indices, pairs.indptr), shape=pairs.shape)
    return int(excluded[users[inside], wanted.items[inside]].sum())
