"""The lists of two versions for the same users, and a judge neither of them has seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.analysis.all_lists import listed_users, lists_of
from recsys.core.model import TrainedModel
from recsys.core.vocabulary import Vocabulary
from recsys.evaluation import NO_ITEM, RankedLists, TestSet
from recsys.evaluation.splits import held_out_targets, rows_of, temporal_split
from recsys.training.event_log import EventLog


@dataclass(frozen=True)
class SideBySide:
    """Lists of two versions for the u users who have one in both.

    Attributes:
        users: ids of these users.
        items: ids of all items that either version has.
        titles: one an item.
        old, new: (u, k) rows of `items`, best first, padded with NO_ITEM.
    """

    users: Vocabulary
    items: Vocabulary
    titles: tuple[str, ...]
    old: RankedLists
    new: RankedLists

    def overlap(self) -> NDArray[np.float64]:
        """(u,) share of a list's k places whose item is in the other version's list, too."""
        rows = np.arange(len(self.users))[:, np.newaxis] * len(self.items)
        # Padding would stand for the last item of the user before.
        new = (rows + self.new)[self.new != NO_ITEM]
        common = np.isin(rows + self.old, new) & (self.old != NO_ITEM)
        return np.asarray(common.mean(axis=1))


def side_by_side(old: TrainedModel, new: TrainedModel, k: int = 20) -> SideBySide:
    """Make the lists of both versions, as they would be published."""
    users = Vocabulary(sorted(_listed_ids(old) & _listed_ids(new)))
    titles = dict(zip(old.items.ids, old.items.titles, strict=True))
    titles |= dict(zip(new.items.ids, new.items.titles, strict=True))
    items = Vocabulary(sorted(titles))
    return SideBySide(
        users,
        items,
        tuple(titles[item_id] or item_id for item_id in items),
        _lists(old, users, items, k),
        _lists(new, users, items, k),
    )


def _listed_ids(model: TrainedModel) -> set[str]:
    return {model.users.ids.id_of(row) for row in listed_users(model.users).tolist()}


def _lists(model: TrainedModel, users: Vocabulary, items: Vocabulary, k: int) -> RankedLists:
    own = lists_of(model, rows_of(model.users.ids, users), k)
    shared = rows_of(items, model.items.ids)
    return np.where(own == NO_ITEM, NO_ITEM, shared[own]).astype(np.int32)


def first_time_targets(log: EventLog, since_ms: int, both: SideBySide) -> TestSet:
    """Relevant items of the users of both versions: new to them from a time on.

    Empty when nothing happened since. What a user already had is no test: it is never recommended.
    """
    past, future = temporal_split(log, since_ms)
    had = past.excludes()
    new = ~np.isin(_pair_keys(future), _pair_keys(past)[had])
    test = held_out_targets(future.only(new), both.users, both.items)
    return test.only(test.users < test.known_users)


def _pair_keys(log: EventLog) -> NDArray[np.int64]:
    return log.users.astype(np.int64) * len(log.item_ids) + log.items
