"""The search for settings, on shops whose structure is known."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import cast

import numpy as np
import pytest

from recsys.config.shop import load_shop
from recsys.core.errors import NoData
from recsys.core.event_types import EventType
from recsys.evaluation import Mask, evaluate_lists
from recsys.evaluation.model_lists import model_lists
from recsys.training.als import AlsSettings, Trained, train_als
from recsys.training.build import build_model
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from recsys.tuning import (
    PLANS,
    FitEffort,
    Fitted,
    Validation,
    ValidationSize,
    fit_settings,
    search,
    surroundings,
)
from recsys.tuning import hold_out as hold_out_of
from recsys.tuning.blend_search import Blended, BlendSearch
from recsys.tuning.judged_fold import METRIC, JudgedFold, JudgedModel
from recsys.tuning.validation import Fold
from tests.builders import two_tastes_log

SMALL = ModelSettings(AlsSettings(factors=8, iterations=3))
SIZE = ValidationSize(pairs=1_000_000, judged_users=5000)


def hold_out(log: EventLog, size: ValidationSize = SIZE, mask: Mask = Mask.EXCLUDED) -> Validation:
    return hold_out_of(log, load_shop(), ModelSettings(), size, mask)


def in_a_row(users: int = 60, items: int = 24, length: int = 6, seed: int = 0) -> EventLog:
    """Shoppers who go from item to item in steps of one, from anywhere: only order tells more."""
    random = np.random.default_rng(seed)
    starts = random.integers(0, items, users)
    at = np.arange(length)
    return EventLog(
        user_ids=[f"u{n}" for n in range(users)],
        item_ids=[f"i{n}" for n in range(items)],
        users=np.repeat(np.arange(users), length).astype(np.int32),
        items=((starts[:, None] + at) % items).ravel().astype(np.int32),
        values=np.ones(users * length, np.float32),
        types=np.zeros(users * length, np.int16),
        event_types={"purchase": EventType(1.0, excludes=True)},
        target_types=(True,),
        timestamps_ms=np.tile(at * 86_400_000, users),
        has_ages=False,
    )


def seen(found: Fold) -> set[tuple[str, str]]:
    users = np.repeat(np.arange(len(found.pairs.users)), np.diff(found.pairs.indptr))
    return {
        (found.pairs.users.id_of(user), found.pairs.items.id_of(item))
        for user, item in zip(users.tolist(), found.pairs.item_indices.tolist(), strict=True)
    }


def held_out(found: Fold) -> set[tuple[str, str]]:
    """Of the items that training knows."""
    test = found.test
    return {
        (found.pairs.users.id_of(user), found.pairs.items.id_of(item))
        for user, item in zip(test.pair_users.tolist(), test.items.tolist(), strict=True)
        if item < test.known_items
    }


@pytest.mark.parametrize("timed", [True, False])
def test_what_is_held_out_is_not_trained_on(timed: bool) -> None:
    found = hold_out(two_tastes_log(timed=timed))
    assert found.timed is timed
    for fold in found.folds:
        assert held_out(fold)
        assert not held_out(fold) & seen(fold)


def test_without_time_several_parts_are_held_out_as_long_as_that_is_quick() -> None:
    log = two_tastes_log(timed=False)
    folds = hold_out(log, replace(SIZE, folds=3)).folds
    assert len(folds) == 3
    assert len({frozenset(held_out(fold)) for fold in folds}) == 3
    assert len(hold_out(log, replace(SIZE, folds=3, folded_pairs=len(log))).folds) == 1


def test_with_time_only_the_newest_events_are_held_out() -> None:
    log = two_tastes_log()
    (found,) = hold_out(log).folds
    assert log.timestamps_ms is not None
    pairs = zip(log.users.tolist(), log.items.tolist(), strict=True)
    times = dict(zip(pairs, log.timestamps_ms.tolist(), strict=True))
    of = {pair: times[int(pair[0][1:]), int(pair[1][1:])] for pair in held_out(found) | seen(found)}
    assert max(of[pair] for pair in seen(found)) <= min(of[pair] for pair in held_out(found))


def test_where_only_each_users_order_is_known_the_newest_of_some_is_held_out() -> None:
    (found,) = hold_out(in_a_row(), replace(SIZE, judged_users=20)).folds
    assert len(found.test) == len(held_out(found)) == 20
    everybody = np.diff(found.pairs.indptr)
    assert np.bincount(everybody).tolist() == [0, 0, 0, 0, 0, 20, 40]
    last = found.pairs.steps == 0
    assert last.sum() == len(found.pairs.users)


def looked_then_bought(users: int = 60, timed: bool = True) -> EventLog:
    """Shoppers who look at all that they buy later, and at as much that they do not buy."""
    looked = two_tastes_log(users=users, timed=timed)
    bought = looked.only(looked.items % 3 == 0)
    times = None
    if timed:
        times = np.concatenate([looked.times_ms(), bought.times_ms() + 100 * 86_400_000])
    return replace(
        looked,
        users=np.concatenate([looked.users, bought.users]),
        items=np.concatenate([looked.items, bought.items]),
        values=np.ones(len(looked) + len(bought), np.float32),
        types=np.repeat([0, 1], [len(looked), len(bought)]).astype(np.int16),
        event_types={"view": EventType(0.2), "purchase": EventType(1.0, excludes=True)},
        target_types=(False, True),
        timestamps_ms=times,
    )


def by_order_alone(log: EventLog) -> EventLog:
    return replace(log, has_ages=False)


@pytest.mark.parametrize(
    "log", [looked_then_bought(), by_order_alone(looked_then_bought())], ids=["ages", "order"]
)
def test_models_are_judged_by_targets_that_their_lists_may_hold(log: EventLog) -> None:
    """Here all was looked at before: where that keeps it out of lists, nothing is left to judge."""
    (fold,) = hold_out(log).folds
    assert held_out(fold)
    assert all(int(item[1:]) % 3 == 0 for _, item in held_out(fold))
    assert held_out(fold) <= seen(fold)
    with pytest.raises(NoData):
        hold_out(log, mask=Mask.ALL)


def test_without_time_what_was_looked_at_is_held_out_as_well() -> None:
    """What came before is not known, nor therefore which look may be told of a purchase."""
    log = looked_then_bought(timed=False)
    validation = hold_out(log, replace(SIZE, folds=3))
    assert not validation.searched_weights
    for fold in validation.folds:
        assert {int(item[1:]) % 3 == 0 for _, item in held_out(fold)} == {True, False}
        assert fold.pairs.excluded.all()


def test_large_data_is_tried_on_some_users_and_what_they_want_most() -> None:
    log = two_tastes_log(users=400)
    (found,) = hold_out(log, replace(SIZE, pairs=len(log) // 4)).folds
    assert 60 < len(found.pairs.users) < 140
    assert len(found.pairs.items) == 15


def test_what_was_read_of_some_users_is_cut_down_to_as_many_items_as_the_whole_log_would_be() -> (
    None
):
    log = two_tastes_log(users=400)
    quarter = log.only(log.users < 100)
    (found,) = hold_out_of(quarter, load_shop(), ModelSettings(), SIZE, user_share=0.25).folds
    assert len(found.pairs.users) == 100
    assert len(found.pairs.items) == 15


def test_nothing_to_hold_out_is_said() -> None:
    log = two_tastes_log()
    one_each = log.only(np.append(True, log.users[1:] != log.users[:-1]))
    with pytest.raises(NoData, match="nothing to tune on"):
        hold_out(replace(one_each, timestamps_ms=None))


def models(validation: Validation, settings: ModelSettings) -> list[JudgedModel]:
    folds = [JudgedFold(fold) for fold in validation.folds]
    return [JudgedModel(f, train_als(f.matrix, settings.als), settings.als) for f in folds]


@pytest.mark.parametrize(
    "settings",
    [
        SMALL,
        replace(SMALL, neighbour_weight=0.0),
        replace(SMALL, step_half_life=2.0, popularity_exponent=0.4, neighbours=5),
        replace(SMALL, order_weight=0.5, step_half_life=1.0, neighbours=40),
        replace(SMALL, order_weight=0.5, step_half_life=1.0, neighbours=3),
        replace(SMALL, neighbour_weight=0.0, order_weight=0.5, neighbours=4),
    ],
)
@pytest.mark.parametrize(
    "log", [in_a_row(users=300), by_order_alone(looked_then_bought(users=300))]
)
def test_a_blend_from_kept_scores_is_as_good_as_the_model_that_is_built_of_it(
    settings: ModelSettings, log: EventLog
) -> None:
    validation = hold_out(log)
    (fold,) = validation.folds
    items = len(fold.pairs.items)
    built = build_model(fold.pairs, ("",) * items, np.ones(items, np.bool_), settings)
    expected = evaluate_lists(model_lists(built, fold.test), fold.test).means[METRIC]

    [judged] = models(validation, settings)

    assert judged.ndcg(settings).mean() == pytest.approx(expected, abs=1e-3)


def test_order_is_used_where_it_tells_what_comes_next() -> None:
    validation = hold_out(in_a_row())
    plain = BlendSearch(models(validation, SMALL), ordered=False, timed=False).fine(SMALL)
    ordered = BlendSearch(models(validation, SMALL), ordered=True, timed=False).fine(SMALL)
    assert ordered.settings.order_weight > 0
    assert ordered.ndcg > plain.ndcg + 0.1


def test_order_is_left_out_where_it_tells_nothing() -> None:
    random = np.random.default_rng(3)
    log = two_tastes_log(users=200, timed=True)
    log = replace(log, timestamps_ms=random.permutation(len(log)) * 1000, has_ages=False)
    validation = hold_out(log)
    found = BlendSearch(models(validation, SMALL), ordered=True, timed=False).fine(SMALL)
    assert found.settings.order_weight <= 0.1


def test_the_best_of_all_trials_is_kept_and_never_worse_than_the_start() -> None:
    lines: list[str] = []
    validation = hold_out(in_a_row())
    found = fit_settings(validation, SMALL, FitEffort.QUICK, say=lines.append)
    best = max([found.start_ndcg, *(t.ndcg for t in found.trials if t.stage == "final")])
    assert best * (1 - search.EQUAL) <= found.ndcg <= best
    assert found.ndcg > found.start_ndcg
    assert len(found.trials) / 10 - 1 < len(lines) <= len(found.trials)
    assert {trial.stage for trial in found.trials} == {"coarse", "middle", "final"}


def test_of_equally_good_numbers_of_factors_the_larger_is_taken() -> None:
    """More data, as the model is trained on, can tell more factors."""
    found = fit_settings(hold_out(two_tastes_log()), SMALL, FitEffort.QUICK)
    finals = [trial for trial in found.trials if trial.stage == "final"]
    best = max(trial.ndcg for trial in finals)
    equals = [trial for trial in finals if trial.ndcg >= best * (1 - search.EQUAL)]
    if found.ndcg > found.start_ndcg:
        largest = max(trial.settings.als.factors for trial in equals)
        assert found.settings.als.factors == largest


@pytest.mark.parametrize(
    ("clearly_better_up_to", "tried", "taken"),
    [
        (64, [64, 128, 256], 256),
        (256, [64, 128, 256, 512], 512),
        (512, [64, 128, 256, 512, 768], 768),
        (10_000, [64, 128, 256, 512, 768], 768),
    ],
)
def test_more_factors_are_tried_while_they_are_clearly_better(
    monkeypatch: pytest.MonkeyPatch, clearly_better_up_to: int, tried: list[int], taken: int
) -> None:
    """What comes behind the last clear gain is as good, and of equals the larger is taken."""

    class ByFactors(BlendSearch):
        def judged(self, settings: ModelSettings) -> Blended:
            return blended(settings, 0.1 + 1e-4 * min(settings.als.factors, clearly_better_up_to))

    monkeypatch.setattr(search, "BlendSearch", ByFactors)
    found = fit_settings(
        hold_out(in_a_row(users=900, items=900)),
        ModelSettings(),
        FitEffort.QUICK,
        train_many=lambda _, settings: cast(list[Trained], [None] * len(settings)),
    )
    finals = [trial for trial in found.trials if trial.stage == "final"]
    assert sorted({trial.settings.als.factors for trial in finals}) == tried
    assert found.settings.als.factors == taken


def blended(settings: ModelSettings, *ndcg: float) -> Blended:
    """As good as is said for each user."""
    return Blended(settings, (np.repeat(ndcg, 30),))


def searched_by(
    ndcg: Callable[[ModelSettings], float],
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_fitted: bool = False,
) -> Fitted:
    """A quick search in which every blend is as good as is said here, and nothing is trained."""

    class Known(BlendSearch):
        def judged(self, settings: ModelSettings) -> Blended:
            return blended(settings, ndcg(settings))

    monkeypatch.setattr(search, "BlendSearch", Known)
    return fit_settings(
        hold_out(in_a_row()),
        SMALL,
        FitEffort.QUICK,
        is_fitted=is_fitted,
        train_many=lambda _, settings: cast(list[Trained], [None] * len(settings)),
    )


@pytest.mark.parametrize(
    ("gain", "is_followed"),
    [(1.03, True), (1.003, False)],
)
def test_a_way_uphill_is_followed_for_as_long_as_its_steps_are_worth_it(
    monkeypatch: pytest.MonkeyPatch, gain: float, is_followed: bool
) -> None:
    """Here more alpha is always better, by so much where it doubles."""

    def by_alpha(settings: ModelSettings) -> float:
        return 0.1 * gain ** float(np.log2(settings.als.alpha_scale))

    found = searched_by(by_alpha, monkeypatch)

    coarse, most = max(PLANS[FitEffort.QUICK].alpha_scales), surroundings.BOUNDS["alpha_scale"][1]
    steps = most if is_followed else coarse * 2 ** PLANS[FitEffort.QUICK].climbs
    assert found.settings.als.alpha_scale == pytest.approx(steps)


def test_what_was_better_is_followed_before_anything_else_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = searched_by(
        lambda each: 0.1 * 1.03 ** float(np.log2(each.als.alpha_scale)), monkeypatch
    )

    alphas = [t.settings.als.alpha_scale for t in found.trials if t.stage == "middle"]
    first = alphas.index(16)
    # All that lies around 8, of which 16 is the best, then further on until the bound.
    assert alphas[first : first + 8] == pytest.approx([16, 4, 8, 8, 8, 8, 32, 40])


def test_a_step_leaves_alone_what_it_does_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tests.unit.tuning.test_tuning.SMALL", surroundings.with_als(SMALL, frequency_weight=0.0)
    )

    found = searched_by(
        lambda each: 0.1 * 1.03 ** float(np.log2(each.als.alpha_scale)), monkeypatch
    )

    assert found.settings.als.alpha_scale == pytest.approx(surroundings.BOUNDS["alpha_scale"][1])


def test_another_alpha_is_looked_at_more_closely_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the best of the coarse are of one alpha: with more factors another may be the best."""
    found = searched_by(lambda each: 0.2 if each.als.alpha_scale == 2 else 0.1, monkeypatch)

    alphas = [t.settings.als.alpha_scale for t in found.trials if t.stage == "middle"]
    assert alphas[:3] == [2, 2, 2]
    assert len(set(alphas[:5])) == 3


@pytest.mark.parametrize("is_fitted", [True, False])
def test_a_search_ends_where_no_list_hits_anything(
    monkeypatch: pytest.MonkeyPatch, is_fitted: bool
) -> None:
    found = searched_by(lambda _: 0.0, monkeypatch, is_fitted=is_fitted)

    assert len(found.trials) < 50


def test_a_way_uphill_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here whatever is tried next is better than all before."""
    judged = count(1)

    found = searched_by(lambda _: 0.01 * 1.1 ** next(judged), monkeypatch)

    assert sum(trial.stage == "middle" for trial in found.trials) <= 5 + 8 * 6


def test_the_same_data_gives_the_same_settings() -> None:
    once, again = (
        fit_settings(hold_out(two_tastes_log()), SMALL, FitEffort.QUICK).settings for _ in range(2)
    )
    assert once == again


@pytest.mark.parametrize("timed", [True, False])
def test_settings_that_were_found_before_are_only_looked_around(timed: bool) -> None:
    validation = hold_out(two_tastes_log(timed=timed))
    found = fit_settings(validation, SMALL, FitEffort.QUICK, is_fitted=True)
    stages = Counter(trial.stage for trial in found.trials)
    assert stages.keys() - {"half-life"} == {"middle", "final"}


@pytest.mark.parametrize(("gain", "is_better"), [(1.004, False), (1.006, True)])
def test_only_where_something_near_is_better_more_than_the_start_is_trained_in_full(
    monkeypatch: pytest.MonkeyPatch, gain: float, is_better: bool
) -> None:
    """Of settings that were found before; a difference of half a percent is none."""
    trained: list[AlsSettings] = []

    class ByAlpha(BlendSearch):
        def judged(self, settings: ModelSettings) -> Blended:
            is_start = settings.als.alpha_scale == SMALL.als.alpha_scale
            return blended(settings, 0.1 if is_start else 0.1 * gain)

    def train_many(_: object, settings: list[AlsSettings]) -> list[Trained]:
        trained.extend(settings)
        return cast(list[Trained], [None] * len(settings))

    monkeypatch.setattr(search, "BlendSearch", ByAlpha)
    found = fit_settings(
        hold_out(in_a_row()), SMALL, FitEffort.QUICK, is_fitted=True, train_many=train_many
    )
    finals = [trial for trial in found.trials if trial.stage == "final"]
    assert (found.settings.als.alpha_scale != SMALL.als.alpha_scale) is is_better
    if not is_better:
        assert [each.settings for each in finals] == [SMALL]
        # Beside its surroundings, and once as the model is: what the end is compared with.
        assert trained.count(SMALL.als) == 2


@pytest.mark.parametrize(
    ("others", "is_fitted", "stays"),
    [((0.2, 0.12), True, False), ((0.25, 0.0), True, True), ((0.25, 0.0), False, False)],
)
def test_settings_of_before_stay_where_others_may_be_better_by_chance(
    monkeypatch: pytest.MonkeyPatch, others: tuple[float, float], is_fitted: bool, stays: bool
) -> None:
    """Half of sixty users gain, the others gain less or lose. A first search keeps nothing."""

    class ByAlpha(BlendSearch):
        def judged(self, settings: ModelSettings) -> Blended:
            is_start = settings.als.alpha_scale == SMALL.als.alpha_scale
            return blended(settings, *((0.1, 0.1) if is_start else others))

    monkeypatch.setattr(search, "BlendSearch", ByAlpha)
    lines: list[str] = []
    found = fit_settings(
        hold_out(in_a_row()),
        SMALL,
        FitEffort.QUICK,
        is_fitted=is_fitted,
        train_many=lambda _, settings: cast(list[Trained], [None] * len(settings)),
        say=lines.append,
    )
    assert (found.settings == SMALL) is stays
    assert found.ndcg == pytest.approx(0.1 if stays else sum(others) / 2)
    assert any("settings stay: others are better by 0.0250" in line for line in lines) is stays


def test_who_trains_is_asked_for_many_settings_at_once() -> None:
    asked: list[int] = []

    def train_many(matrix: object, settings: list[AlsSettings]) -> object:
        asked.append(len(settings))
        return search.one_by_one(matrix, settings)  # type: ignore[arg-type]

    validation = hold_out(two_tastes_log(timed=False))
    fit_settings(validation, SMALL, FitEffort.QUICK, train_many=train_many)  # type: ignore[arg-type]
    plan = PLANS[FitEffort.QUICK]
    assert asked[0] == 1 + len(plan.alpha_scales) * len(plan.regularizations)


@pytest.mark.parametrize("effort", list(PLANS))
def test_the_grid_leaves_room_on_both_sides(effort: FitEffort) -> None:
    plan = PLANS[effort]
    for name, tried in (
        ("alpha_scale", plan.alpha_scales),
        ("regularization", plan.regularizations),
    ):
        least, most = surroundings.BOUNDS[name]
        assert least < min(tried) < max(tried) < most


def test_an_empty_log_is_nothing_to_tune_on() -> None:
    log = two_tastes_log()
    with pytest.raises(NoData, match="nothing to tune on"):
        hold_out(log.only(np.zeros(len(log), np.bool_)))
