"""Before a model serves: what answers need is compiled, and the time of a fold-in measured."""

import time

import numpy as np

from recsys.core.compiled_ranking import best_of
from recsys.core.current_history import with_events
from recsys.core.explanation import explain
from recsys.core.model import History, ItemModel, ScoringParams
from recsys.core.serving.best_candidates import Scratch
from recsys.core.serving.caps import Caps, within_caps
from recsys.core.serving.controls import Controls
from recsys.core.serving.diversity import diversified, unit_vectors
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import ActiveUser, fold_in_list, neighbour_list
from recsys.core.serving.reasons import strongest_columns
from recsys.core.user_factors import user_system
from recsys.core.vocabulary import Vocabulary
from recsys.stores.model_codec import pack_items, unpack_items

_SHOPPERS = 8
_ITEMS_PER_SHOPPER = 30
_ANY_PARAMS = ScoringParams(
    alpha=1.0,
    regularization=1.0,
    frequency_weight=1.0,
    neighbour_weight=1.0,
    half_life_days=1.0,
    event_types={},
    as_of_ms=0,
    read_at_ms=0,
    end_ms=0,
    step_half_life=1.0,
)
# The least counts: what took longer was interrupted, or the first to need something.
_TRIES = 4


def compile_answers() -> None:
    """Compile what answers need, or load it compiled: up to half a minute, once a machine.

    Done before the first model comes, which would keep its shop waiting.
    """
    ids = Vocabulary(["a", "b"])
    rows, numbers = np.array([1, 0], np.int32), np.ones(2, np.float32)
    items = ItemModel(
        ids=ids,
        titles=("", ""),
        factors=np.ones((2, 1), np.float32),
        neighbours=rows[:, np.newaxis],
        neighbour_scores=numbers[:, np.newaxis],
        order_shares=np.zeros((2, 1), np.float16),
        trend=numbers,
        popular=rows,
        eligible=np.ones(2, np.bool_),
    )
    # In the kind of memory that a model is read into.
    fold_in_seconds(unpack_items(pack_items(items)), _ANY_PARAMS, 1)


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
    nearest = neighbour_list(model, user, n, scratch)
    best_of(nearest.items, nearest.scores, n)
    rows = model.eligible.popular
    caps = Caps.of(model.catalogue, rows, Controls(max_per_brand=1), [])
    chosen, _ = within_caps(caps, 1, False)  # compiled, which knows no names
    relevance = np.ones(len(rows), np.float32)
    diversified(unit_vectors(model.items.factors, rows), relevance, chosen, 0, 1, caps)
    seen, wanted = model.known(user.history.items), model.known(rows[:1])
    found = explain(model.items, model.params, user.history, seen, wanted)
    strongest_columns(found.by_factors, 1)
    own = model.items.factors[user.history.items]
    system = user_system(model.items, model.params, own, user.history.strengths)
    for has_few_items in (False, True):
        either = system._replace(has_few_items=has_few_items)
        either.user_factors()
        either.products(own)


def _some_user(random: np.random.Generator, items: int) -> ActiveUser:
    rows = random.choice(items, min(items, _ITEMS_PER_SHOPPER), replace=False).astype(np.int32)
    ones, steps = np.ones(len(rows), np.float32), np.arange(len(rows), dtype=np.int32)
    return ActiveUser.of(History(rows, ones, np.ones(len(rows), np.bool_), steps), None)
