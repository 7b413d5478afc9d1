"""Calibration: the time of a fold-in on this machine, measured before a model serves."""

import time

import numpy as np

from recsys.core.compiled_ranking import best_of
from recsys.core.current_history import with_events
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import ActiveUser, fold_in_list, neighbour_list

_SHOPPERS = 8
_ITEMS_PER_SHOPPER = 30
# The least counts: what took longer was interrupted, or the first to need something.
_TRIES = 4


def fold_in_seconds(items: ItemModel, params: ScoringParams, n: int) -> float:
    """Seconds for each of a few users; also compiles what answers need, or loads it compiled."""
    if not len(items.ids):
        return 0.0
    random = np.random.default_rng(0)
    users = [_some_user(random, len(items.ids)) for _ in range(_SHOPPERS)]
    model, scratch = ServingModel.of(items, params), Scratch()
    _warm_up(model, users[0], n, scratch)
    tries = []
    for _ in range(_TRIES):
        begun = time.perf_counter()
        for user in users:
            fold_in_list(model, user, n, scratch)
        tries.append(time.perf_counter() - begun)
    return min(tries) / _SHOPPERS


def _warm_up(model: ServingModel, user: ActiveUser, n: int, scratch: Scratch) -> None:
    """Everything compiled that the calibration itself does not call."""
    one = user.history.span(slice(1))
    with_events(one, one.items, np.ones(1), one.excluded, np.ones(1, np.int64))
    found = neighbour_list(model, user, n, scratch)
    best_of(found.items, found.scores, n)


def _some_user(random: np.random.Generator, items: int) -> ActiveUser:
    rows = random.choice(items, min(items, _ITEMS_PER_SHOPPER), replace=False).astype(np.int32)
    ones, steps = np.ones(len(rows), np.float32), np.arange(len(rows), dtype=np.int32)
    return ActiveUser.of(History(rows, ones, np.ones(len(rows), np.bool_), steps), None)
