"""The search for settings: coarse to fine, on held-out behaviour.

Few factors and iterations tell which confidence and regularization suit a shop; what looks best
there is looked at more closely with more of both, and only the last few are trained as the model
itself will be. What neighbours, order and trend count is found for each by `BlendSearch`. Work is
counted in trials, not in seconds: the same data gives the same settings on any machine.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

import numpy as np
from scipy.sparse import csr_matrix

from recsys.training.als import AlsSettings, Trained, train_als
from recsys.training.als.half_step import row_lambdas
from recsys.training.als.settings import resolved_alpha
from recsys.training.settings import ModelSettings
from recsys.tuning.blend_search import Blended, BlendSearch
from recsys.tuning.event_weights import best_weight
from recsys.tuning.half_lives import best_half_life, span_days
from recsys.tuning.judged_fold import JudgedFold, JudgedModel
from recsys.tuning.validation import Validation, ValidationSize

# Trains one model with each of the settings, in their order.
TrainMany = Callable[[csr_matrix, Sequence[AlsSettings]], Iterable[Trained]]


class FitEffort(Enum):
    """Effort of the search: none, some forty trainings, or a hundred and more."""

    OFF = "off"
    QUICK = "quick"
    THOROUGH = "thorough"


@dataclass(frozen=True)
class SearchPlan:
    """Trials of one effort.

    Attributes:
        alpha_scales, regularizations: tried with each other first.
        climbs: how often the surroundings of the best are tried, besides the rounds that pay.
        finalists: settings that are trained as the model itself.
        factors: the best finalist is tried with these besides its own, and with more for as long
            as that is better.
    """

    size: ValidationSize
    alpha_scales: tuple[float, ...]
    regularizations: tuple[float, ...]
    climbs: int
    finalists: int
    factors: tuple[int, ...]


PLANS = {
    FitEffort.QUICK: SearchPlan(
        size=ValidationSize(
            pairs=1_000_000, judged_users=5000, scores=60_000_000, folds=3, folded_pairs=1_600_000
        ),
        alpha_scales=(0.5, 2.0, 8.0),
        regularizations=(0.01, 0.003, 0.001, 0.0003),
        climbs=2,
        finalists=2,
        factors=(64, 256),
    ),
    FitEffort.THOROUGH: SearchPlan(
        size=ValidationSize(pairs=2_000_000, judged_users=6000, folds=3),
        alpha_scales=(0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0),
        regularizations=(0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001),
        climbs=5,
        finalists=4,
        factors=(48, 64, 96, 192, 256, 384),
    ),
}
_HALF_LIFE, _WEIGHTS, _COARSE, _MIDDLE = "half-life", "event weights", "coarse", "middle"
_FACTORS = {_HALF_LIFE: 64, _WEIGHTS: 64, _COARSE: 64, _MIDDLE: 128}
_ITERATIONS = {_HALF_LIFE: 6, _WEIGHTS: 6, _COARSE: 6, _MIDDLE: 8}
_FINAL = "final"
# What a climb multiplies at first, and by which power when nothing around was better; nothing is
# tried outside of the bounds.
_STEPS = {"alpha_scale": 2.0, "regularization": 1.8, "frequency_weight": 3.0}
_SHRINKAGE = 0.5
# All rounds of a climb are as many at most, in times of those that need not pay.
_MOST_ROUNDS = 4
# Of the short trials one that is no better than before is told every so many.
_TOLD_TRIALS = 10
# Less of a difference between two numbers of factors is none.
EQUAL = 0.005
# More factors than the plan's are tried, so many times as many up to the most, for as long as each
# step gains this share: they cost training, Redis and recommenders time and memory in proportion.
# Of smaller steps a gain would be lost in what two trials differ by chance, a percent.
_GROWTH, _WORTH, _MOST_FACTORS = 2, 0.01, 768
BOUNDS = {
    "alpha_scale": (0.05, 40.0),
    "regularization": (1e-5, 0.1),
    "frequency_weight": (0.05, 100.0),
}


@dataclass(frozen=True)
class Trial:
    """One training of the search, and how good its best blend is."""

    stage: str
    settings: ModelSettings
    ndcg: float


@dataclass(frozen=True)
class Fitted:
    """Result of a search.

    Attributes:
        settings: the best; those that it began with when nothing was better.
        ndcg, start_ndcg: NDCG@20 on the validation part, of the best and of the beginning.
        trials: in their order.
    """

    settings: ModelSettings
    ndcg: float
    start_ndcg: float
    trials: tuple[Trial, ...]
    seconds: float


def one_by_one(strengths: csr_matrix, settings: Sequence[AlsSettings]) -> Iterator[Trained]:
    """Train in this process."""
    return (train_als(strengths, each) for each in settings)


def fit_settings(
    validation: Validation,
    start: ModelSettings,
    effort: FitEffort,
    *,
    is_fitted: bool = False,
    train_many: TrainMany = one_by_one,
    say: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """Search for better settings than those to start with.

    Args:
        is_fitted: the start was found for this shop, last night say: only its surroundings are
            tried, and what is far from them only where something there is better.
    """
    return _Search(validation, start, PLANS[FitEffort(effort)], train_many, say).run(
        is_fitted=is_fitted
    )


class _Search:
    def __init__(
        self,
        validation: Validation,
        start: ModelSettings,
        plan: SearchPlan,
        train_many: TrainMany,
        say: Callable[[str], None],
    ) -> None:
        self._validation = validation
        self._folds = self._first_folds = self._folds_by(start)
        self._ordered = any(fold.pairs.is_ordered for fold in validation.folds)
        self._timed = validation.timed
        searched = "popularity_half_life_days" in validation.searched_half_lives
        self._popularity_span_days = self._span_days if searched else None
        self._first = self._start = start
        self._plan, self._train_many, self._say = plan, train_many, say
        self._trials: list[Trial] = []
        # Once a model of its factors was trained in full.
        self._of_first: Blended | None = None

    def run(self, *, is_fitted: bool) -> Fitted:
        started = time.perf_counter()
        # Before all else, which depends on what still counts.
        counted = None
        if "half_life_days" in self._validation.searched_half_lives:
            counted = self._find_half_life()
        if self._validation.searched_weights:
            self._find_weights(counted or self._counted(_WEIGHTS, self._start))
        if is_fitted:
            finals = self._near_start()
        else:
            coarse = self._try(_COARSE, [self._start, *self._grid()])
            finals = self._finals(self._climb(self._try(_MIDDLE, self._best_of_grid(coarse))))
        first = self._judge_start()
        best_final = finals[0] if finals[0].ndcg >= first.ndcg else first
        return Fitted(
            settings=best_final.settings,
            ndcg=best_final.ndcg,
            start_ndcg=first.ndcg,
            trials=tuple(self._trials),
            seconds=time.perf_counter() - started,
        )

    def _near_start(self) -> list[Trial]:
        """The start, blended anew, where nothing around it is better; else what is found there."""
        own = _key(self._start)
        around = [each for each in self._around(self._start, power=1.0) if _key(each) != own]
        found = self._try(_MIDDLE, [self._start, *around])
        start = next(each for each in found if _key(each.settings) == own)
        if not _is_better(found[0], start):
            return self._try(_FINAL, [self._start])
        return self._finals(self._climb(found))

    def _find_half_life(self) -> Trial:
        judge = partial(self._counted, _HALF_LIFE)
        best = best_half_life(judge(self._start), "half_life_days", self._span_days, judge)
        self._count_by(best.settings)
        self._say(f"behaviour counts half after {best.settings.half_life_days:.3g} days")
        return best

    def _find_weights(self, best: Trial) -> None:
        """The weight of each type after that of the more frequent ones.

        Args:
            best: of what the search has now.
        """
        judge, types = partial(self._counted, _WEIGHTS), self._validation.event_types
        for name in self._validation.searched_weights:
            weight = best.settings.event_weights.get(name, types[name].weight)
            best = best_weight(best, name, weight, judge)
            self._count_by(best.settings)
            self._say(f"a {name} counts {best.settings.event_weights.get(name, weight):.3g}")

    def _counted(self, stage: str, settings: ModelSettings) -> Trial:
        """Try what the search has now, with events that count by these settings."""
        self._count_by(settings)
        [trial] = self._try(stage, [self._start])
        return trial

    def _count_by(self, settings: ModelSettings) -> None:
        changed = replace(
            self._start,
            half_life_days=settings.half_life_days,
            event_weights=settings.event_weights,
        )
        if changed != self._start:
            self._start, self._folds = changed, self._folds_by(changed)

    def _folds_by(self, settings: ModelSettings) -> list[JudgedFold]:
        return [JudgedFold(fold.counted_by(settings)) for fold in self._validation.folds]

    @property
    def _span_days(self) -> float:
        log = self._validation.folds[0].log
        return 0.0 if log is None else span_days(log)

    def _grid(self) -> list[ModelSettings]:
        plan = self._plan
        return [
            with_als(self._start, alpha=None, alpha_scale=scale, regularization=regularization)
            for scale, regularization in itertools.product(plan.alpha_scales, plan.regularizations)
        ]

    def _best_of_grid(self, coarse: list[Trial]) -> list[ModelSettings]:
        """The best settings, and the best of some other alphas: with more factors one of these, or
        another regularization, may lead.
        """
        count = self._plan.finalists + 1
        of_alpha: dict[float, ModelSettings] = {}
        for each in coarse:
            of_alpha.setdefault(each.settings.als.alpha_scale, each.settings)
        best = [each.settings for each in coarse[:count]]
        others = list(of_alpha.values())[:count]
        return best + [each for each in others if each not in best]

    def _climb(self, found: list[Trial]) -> list[Trial]:
        """Try around the best, nearer once nothing there is better; best first.

        What was better is followed: the same step once more, before looking around again (Hooke and
        Jeeves, "Direct search solution of numerical and statistical problems", 1961).

        Args:
            found: trials of the same stage, best first.
        """
        power, left = 1.0, self._plan.climbs
        onward: list[ModelSettings] = []
        for _ in range(self._plan.climbs * _MOST_ROUNDS):
            before, follows = found[0], bool(onward)
            around = onward or self._around(before.settings, power)
            known = {_key(each.settings) for each in found}
            unknown = [each for each in around if _key(each) not in known]
            found = sorted([*found, *self._try(_MIDDLE, unknown)], key=_ndcg, reverse=True)
            is_better = _is_better(found[0], before)
            onward = [_onward(before.settings, found[0].settings)] if is_better else []
            if is_better or follows:
                continue
            left -= 1
            if not left:
                break
            if found[0] is before:
                power *= _SHRINKAGE
        return found

    def _around(self, settings: ModelSettings, power: float) -> Iterator[ModelSettings]:
        for name, step in _STEPS.items():
            for factor in (step**power, step**-power):
                changed = _changed(settings, name, factor)
                if name == "regularization":
                    yield changed
                    continue
                # Else lambda would change with it, of which nothing is to be learnt here.
                before, after = (self._mean_lambda(each.als) for each in (settings, changed))
                yield _changed(changed, "regularization", before / after)

    def _mean_lambda(self, als: AlsSettings) -> float:
        """The geometric mean of users' and items' lambda in the mean over these."""
        matrix = self._folds[0].matrix
        alpha = resolved_alpha(matrix, als)
        means = [
            row_lambdas(side, alpha, als).mean(dtype=np.float64) for side in (matrix, matrix.T)
        ]
        return float(np.sqrt(means[0] * means[1]))

    def _finals(self, ranked: list[Trial]) -> list[Trial]:
        """The finalists trained in full, the best of them with other numbers of factors too."""
        found = self._try(_FINAL, [each.settings for each in ranked[: self._plan.finalists]])
        first, most = found[0].settings, min(_MOST_FACTORS, *self._folds[0].matrix.shape)
        sizes = [k for k in self._plan.factors if k != first.als.factors and k <= most]
        while sizes:
            others = self._try(_FINAL, [with_als(first, factors=k) for k in sizes])
            found = sorted([*found, *others], key=_ndcg, reverse=True)
            sizes = _larger(found, most)
        equals = [each for each in found if each.ndcg >= found[0].ndcg * (1 - EQUAL)]
        # The model is trained on more than a trial is, and more data can tell more factors.
        best = max(equals, key=_factors)
        return [best, *(each for each in found if each is not best)]

    def _judge_start(self) -> Trial:
        """The settings to start with, as they are."""
        blended = self._of_first
        if blended is None:
            [search] = self._searches([self._first.als], self._first_folds)
            blended = search.judged(self._first)
        return Trial("start", blended.settings, blended.ndcg)

    def _try(self, stage: str, settings: Sequence[ModelSettings]) -> list[Trial]:
        """Train and blend each; best first."""
        als = [_fidelity(stage, each.als) for each in settings]
        # Where to look more closely one part of the data tells well enough.
        folds = self._folds[:1] if stage in (_HALF_LIFE, _WEIGHTS, _COARSE) else self._folds
        found = []
        for each, search in zip(settings, self._searches(als, folds), strict=True):
            blended = search.fine(each) if stage == _FINAL else search.rough(each)
            is_first = each.als == self._first.als and self._start == self._first
            if stage == _FINAL and is_first:
                self._of_first = search.judged(self._first)
            found.append(self._keep(Trial(stage, blended.settings, blended.ndcg)))
        return sorted(found, key=_ndcg, reverse=True)

    def _searches(
        self, als: Sequence[AlsSettings], folds: Sequence[JudgedFold]
    ) -> Iterator[BlendSearch]:
        """A search over blends for the models of each setting."""
        trained = [iter(self._train_many(fold.matrix, als)) for fold in folds]
        for each in als:
            models = [
                JudgedModel(fold, next(models), each)
                for fold, models in zip(folds, trained, strict=True)
            ]
            yield BlendSearch(
                models,
                ordered=self._ordered,
                timed=self._timed,
                popularity_span_days=self._popularity_span_days,
            )

    def _keep(self, trial: Trial) -> Trial:
        before = [each.ndcg for each in self._trials if each.stage == trial.stage]
        self._trials.append(trial)
        als, number = trial.settings.als, len(self._trials)
        is_long = trial.stage == _FINAL
        if is_long or trial.ndcg > max(before, default=0.0) or number % _TOLD_TRIALS == 0:
            self._say(
                f"fit {number}, {trial.stage}: ndcg@20 {trial.ndcg:.4f}, {als.factors} factors,"
                f" alpha x{als.alpha_scale:.3g}, regularization {als.regularization:.2g},"
                f" neighbours {trial.settings.neighbour_weight:.2g},"
                f" order {trial.settings.order_weight:.2g}"
            )
        return trial


def _is_better(trial: Trial, other: Trial) -> bool:
    return trial.ndcg > other.ndcg * (1 + EQUAL)


def _larger(found: list[Trial], most: int) -> list[int]:
    """The next number of factors to try, if the largest so far is the best and worth its price.

    Args:
        found: trials, best first.
    """
    largest = _factors(found[0])
    fewer = [each.ndcg for each in found if _factors(each) < largest]
    is_best = largest == max(map(_factors, found)) < most
    if not is_best or not fewer or found[0].ndcg < fewer[0] * (1 + _WORTH):
        return []
    return [min(largest * _GROWTH, most)]


def with_als(settings: ModelSettings, **changes: object) -> ModelSettings:
    """The settings with other ones of the factors."""
    return replace(settings, als=replace(settings.als, **changes))  # type: ignore[arg-type]


def _fidelity(stage: str, als: AlsSettings) -> AlsSettings:
    if stage == _FINAL:
        return als
    return replace(
        als,
        factors=min(als.factors, _FACTORS[stage]),
        iterations=min(als.iterations, _ITERATIONS[stage]),
    )


def _changed(settings: ModelSettings, name: str, factor: float) -> ModelSettings:
    least, most = BOUNDS[name]
    return with_als(settings, **{name: min(max(getattr(settings.als, name) * factor, least), most)})


def _onward(before: ModelSettings, after: ModelSettings) -> ModelSettings:
    """The step from one to the other once more."""
    onward = after
    for name in _STEPS:
        old, new = (getattr(each.als, name) for each in (before, after))
        # What did not change stays as it is: it may be zero, or outside of the bounds.
        if old and new != old:
            onward = _changed(onward, name, new / old)
    return onward


def _key(settings: ModelSettings) -> tuple[float, ...]:
    als = settings.als
    return tuple(round(getattr(als, name), 9) for name in _STEPS)


def _ndcg(trial: Trial | Blended) -> float:
    return trial.ndcg


def _factors(trial: Trial) -> int:
    return trial.settings.als.factors
