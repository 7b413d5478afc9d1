"""The search for weights of events: on known curves, and where it is known which type tells."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from recsys.config.shop import Shop, load_shop
from recsys.core.errors import ConfigurationError
from recsys.core.event_types import EventType
from recsys.training.als import AlsSettings
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from recsys.tuning import FitEffort, Fitted, ValidationSize, fit_settings, hold_out
from recsys.tuning.event_weights import best_weight, searched_types
from tests.builders import two_tastes_log

SMALL = ModelSettings(AlsSettings(factors=8, iterations=3))
SIZE = ValidationSize(pairs=1_000_000, judged_users=5000)
TYPES = {"view": EventType(0.2), "purchase": EventType(1.0, excludes=True)}


@dataclass(frozen=True)
class Tried:
    settings: ModelSettings
    ndcg: float


@pytest.mark.parametrize("peak", [0.01, 0.07, 0.2, 0.5, 8.0])
def test_the_nearest_of_its_multiples_by_three_is_found(peak: float) -> None:
    def judge(settings: ModelSettings) -> Tried:
        weight = settings.event_weights.get("view", 0.2)
        return Tried(settings, 1 - 0.1 * abs(np.log(weight / peak)))

    found = best_weight(judge(ModelSettings(event_weights={"like": 2})), "view", 0.2, judge)

    weights = found.settings.event_weights
    assert abs(np.log(weights.get("view", 0.2) / peak) / np.log(3)) <= 0.501
    assert weights["like"] == 2


def a_log(types: Mapping[str, EventType], counts: list[int], target: str = "purchase") -> EventLog:
    """So many events of each type by one shopper."""
    n = sum(counts)
    return EventLog(
        user_ids=["u"],
        item_ids=["i"],
        users=np.zeros(n, np.int32),
        items=np.zeros(n, np.int32),
        values=np.ones(n, np.float32),
        types=np.repeat(np.arange(len(counts)), counts).astype(np.int16),
        event_types=types,
        target_types=tuple(name == target for name in types),
    )


def a_shop(types: Mapping[str, EventType], *unfixed: str) -> Shop:
    return Shop(None, None, ("purchase",), dict(types), unfixed)


def test_weights_are_searched_beside_that_of_the_strongest_target() -> None:
    types = TYPES | {"cart": EventType(1.5), "return": EventType(-1.0), "share": EventType(0.3)}
    log = a_log(types, [500, 300, 100, 100, 2])
    free = {name for name, kind in types.items() if kind.weight > 0}
    # A return takes away; what is shared so seldom changes nothing that could be judged.
    assert searched_types(log, a_shop(types, *free)) == ("view", "cart")
    # Beside one that is fixed each of the others may be found.
    assert searched_types(log, a_shop(types, "purchase", "cart")) == ("purchase", "cart")
    assert searched_types(log, a_shop(types)) == ()
    assert searched_types(a_log(TYPES, [0, 9]), a_shop(TYPES, *TYPES)) == ()


def looks_and_purchases(*, looks_tell: bool) -> EventLog:
    """Shoppers of two tastes, each with some twenty looks and six purchases.

    The last purchase is of the own taste. Looks tell it and the other purchases, presents, do not,
    or the other way round.
    """
    random, users, items, each = np.random.default_rng(5), 300, 40, 6
    liked = two_tastes_log(users=users, items=items, timed=False, seed=1)
    bought = random.integers(0, items // 2, (users, each)) * 2 + np.arange(users)[:, None] % 2
    looks = liked.items
    if looks_tell:
        bought[:, :-1] = random.integers(0, items, (users, each - 1))
    else:
        looks = random.integers(0, items, len(looks)).astype(np.int32)
    buyers = np.repeat(np.arange(users, dtype=np.int32), each)
    times = np.append(random.integers(0, 1000, len(looks) + len(buyers) - users), [2000] * users)
    last = np.arange(len(buyers)) % each == each - 1
    order = np.argsort(last, kind="stable")
    return replace(
        liked,
        users=np.concatenate([liked.users, buyers[order]]),
        items=np.concatenate([looks, bought.ravel()[order].astype(np.int32)]),
        values=np.ones(len(times), np.float32),
        types=np.repeat([0, 1], [len(looks), len(buyers)]).astype(np.int16),
        event_types=TYPES,
        target_types=(False, True),
        timestamps_ms=times * 1000,
        has_ages=False,
    )


def fitted(log: EventLog, shop: Shop, said: list[str] | None = None) -> Fitted:
    validation = hold_out(log, shop, SMALL, SIZE)
    return fit_settings(
        validation, SMALL, FitEffort.QUICK, say=(said if said is not None else []).append
    )


def test_looks_that_tell_nothing_are_found_to_count_less_than_those_that_tell_all() -> None:
    said: list[str] = []
    useless, telling = (
        fitted(looks_and_purchases(looks_tell=tell), load_shop(), said) for tell in (False, True)
    )
    weights = [each.settings.event_weights.get("view", 0.2) for each in (useless, telling)]
    assert weights[0] < weights[1] / 3
    assert useless.ndcg > useless.start_ndcg
    assert telling.ndcg > telling.start_ndcg
    assert any(line == f"a view counts {weights[0]:.3g}" for line in said)


def test_weights_that_the_shop_has_fixed_stay() -> None:
    found = fitted(
        looks_and_purchases(looks_tell=False), replace(load_shop(), unfixed_weights=frozenset())
    )
    assert not found.settings.event_weights
    assert not any(trial.settings.event_weights for trial in found.trials)


def test_a_trial_is_judged_as_pairs_made_by_its_weights() -> None:
    log = looks_and_purchases(looks_tell=True)
    heavy = replace(SMALL, event_weights={"view": 5.0})
    (fold,) = hold_out(log, load_shop(), SMALL, SIZE).folds
    (direct,) = hold_out(log, load_shop(), heavy, SIZE).folds
    remade = fold.counted_by(heavy)
    for name in ("strengths", "recent_strengths", "item_indices", "indptr", "excluded", "steps"):
        assert np.array_equal(getattr(remade.pairs, name), getattr(direct.pairs, name))
    assert not np.array_equal(remade.pairs.strengths, fold.pairs.strengths)
    # And back again: nothing of the trial is left.
    assert np.array_equal(fold.counted_by(SMALL).pairs.strengths, fold.pairs.strengths)


def test_no_search_begins_with_a_weight_of_no_type_of_the_shop() -> None:
    settings = replace(SMALL, event_weights={"purchse": 2.0})
    with pytest.raises(ConfigurationError, match=r"event_weights\.purchse"):
        hold_out(a_log(TYPES, [3, 2]), load_shop(), settings, SIZE)
