"""The search for half-lives: on known curves, and on a shop whose tastes have changed."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from recsys.config.shop import load_shop
from recsys.core.times import MS_PER_DAY
from recsys.training.als import AlsSettings
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from recsys.tuning import FitEffort, ValidationSize, fit_settings, hold_out
from recsys.tuning.half_lives import best_half_life
from tests.builders import two_tastes_log

SMALL = ModelSettings(AlsSettings(factors=8, iterations=3))
SIZE = ValidationSize(pairs=1_000_000, judged_users=5000)
YEARS = 2000.0


@dataclass(frozen=True)
class Tried:
    settings: ModelSettings
    ndcg: float


def found_on(peak_days: float, start_days: float, span_days: float = YEARS) -> float:
    """The half-life found where the model is the worse the further it is from the peak."""

    def judge(settings: ModelSettings) -> Tried:
        return Tried(settings, 1 - 0.1 * abs(np.log2(settings.half_life_days / peak_days)))

    start = judge(ModelSettings(half_life_days=start_days))
    return best_half_life(start, "half_life_days", span_days, judge).settings.half_life_days


@pytest.mark.parametrize("peak", [3.0, 40.0, 180.0, 700.0, 2000.0])
def test_the_nearest_of_its_multiples_by_two_is_found(peak: float) -> None:
    found = found_on(peak, 180.0)
    assert abs(np.log2(found / peak)) <= 0.5


def test_a_half_life_without_effect_stays() -> None:
    tried = []

    def judge(settings: ModelSettings) -> Tried:
        tried.append(settings.half_life_days)
        return Tried(settings, 0.1)

    start = judge(ModelSettings())
    assert best_half_life(start, "half_life_days", YEARS, judge) is start
    assert tried == [180, 90, 360]


def test_in_a_few_days_of_data_the_search_begins_where_behaviour_begins_to_fade() -> None:
    assert found_on(1.25, 180.0, span_days=10) == pytest.approx(1.25)


def changed_tastes() -> EventLog:
    """Each shopper had one taste for most of a year, and for the last three weeks has the other."""
    before, after = two_tastes_log(seed=1), two_tastes_log(seed=2)
    random = np.random.default_rng(3)
    old = random.integers(0, 300, len(before)) * MS_PER_DAY
    new = random.integers(320, 341, len(after)) * MS_PER_DAY
    return replace(
        before,
        users=np.concatenate([before.users ^ 1, after.users]),
        items=np.concatenate([before.items, after.items]),
        values=np.concatenate([before.values, after.values]),
        types=np.concatenate([before.types, after.types]),
        timestamps_ms=np.concatenate([old, new]),
    )


def test_a_shop_whose_tastes_change_forgets_sooner() -> None:
    validation = hold_out(changed_tastes(), load_shop(), SMALL, SIZE)
    found = fit_settings(validation, SMALL, FitEffort.QUICK)
    assert found.settings.half_life_days < 90
    assert found.ndcg > found.start_ndcg


def test_half_lives_that_the_shop_has_fixed_stay() -> None:
    shop = replace(load_shop(), half_life_days=200.0, popularity_half_life_days=5.0)
    start = replace(SMALL, half_life_days=200.0, popularity_half_life_days=5.0)
    validation = hold_out(changed_tastes(), shop, start, SIZE)
    found = fit_settings(validation, start, FitEffort.QUICK)
    assert {trial.settings.half_lives for trial in found.trials} == {(200.0, 5.0)}
    assert found.settings.half_lives == (200.0, 5.0)


def test_a_trial_is_judged_as_pairs_made_by_its_half_lives() -> None:
    """What is kept between trials must not be that of another half-life."""
    log = changed_tastes()
    (fold,) = hold_out(log, load_shop(), SMALL, SIZE).folds
    short = replace(SMALL, half_life_days=10.0, popularity_half_life_days=3.0)
    (direct,) = hold_out(log, load_shop(), short, SIZE).folds
    remade = fold.with_half_lives(*short.half_lives).pairs
    for name in ("strengths", "recent_strengths", "item_indices", "indptr", "excluded"):
        assert np.array_equal(getattr(remade, name), getattr(direct.pairs, name))
    assert not np.array_equal(remade.strengths, fold.pairs.strengths)


def test_without_ages_there_is_no_half_life_to_find() -> None:
    log = replace(two_tastes_log(), has_ages=False)
    validation = hold_out(log, load_shop(), SMALL, SIZE)
    assert validation.searched_half_lives == frozenset()
    found = fit_settings(validation, SMALL, FitEffort.QUICK)
    assert found.settings.half_lives == SMALL.half_lives
