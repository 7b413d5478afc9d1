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
from functools import partial

from scipy.sparse import csr_matrix

from recsys.training.als import AlsSettings, Trained, train_als
from recsys.training.settings import ModelSettings
from recsys.tuning.blend_search import Blended, BlendSearch
from recsys.tuning.event_weights import best_weight
from recsys.tuning.half_lives import best_half_life, span_days
from recsys.tuning.judged_fold import JudgedFold, JudgedModel
from recsys.tuning.plans import PLANS, FitEffort, SearchPlan
from recsys.tuning.surroundings import around, key_of, onward, with_als
from recsys.tuning.validation import Validation

# Trains one model with each of the settings, in their order.
TrainMany = Callable[[csr_matrix, Sequence[AlsSettings]], Iterable[Trained]]


_HALF_LIFE, _WEIGHTS, _COARSE, _MIDDLE = "half-life", "event weights", "coarse", "middle"
_FACTORS = {_HALF_LIFE: 64, _WEIGHTS: 64, _COARSE: 64, _MIDDLE: 128}
_ITERATIONS = {_HALF_LIFE: 6, _WEIGHTS: 6, _COARSE: 6, _MIDDLE: 8}
_FINAL = "final"
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


@dataclass(frozen=True)
class Trial:
    """One training of the search, and its best blend."""

    stage: str
    blended: Blended

    @property
    def settings(self) -> ModelSettings:
        """What it was trained with, and what its parts count."""
        return self.blended.settings

    @property
    def ndcg(self) -> float:
        """NDCG@20 on the validation part."""
        return self.blended.ndcg


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
        best = finals[0] if finals[0].ndcg >= first.ndcg else first
        if is_fitted and self._is_by_chance(best, first):
            best = first
        return Fitted(
            settings=best.settings,
            ndcg=best.ndcg,
            start_ndcg=first.ndcg,
            trials=tuple(self._trials),
            seconds=time.perf_counter() - started,
        )

    def _is_by_chance(self, best: Trial, first: Trial) -> bool:
        """Tell whether the judged users cannot tell two trials apart: lists would change by it,
        and be no better.
        """
        gain = best.blended.minus(first.blended)
        if gain.low > 0 or best is first:
            return False
        self._say(
            f"settings stay: others are better by {gain.mean:.4f} of ndcg@20, which may be chance"
            f" ({gain.low:.4f} to {gain.high:.4f})"
        )
        return True

    def _near_start(self) -> list[Trial]:
        """The start, blended anew, where nothing around it is better; else what is found there."""
        own = key_of(self._start)
        near = [each for each in self._around(self._start, power=1.0) if key_of(each) != own]
        found = self._try(_MIDDLE, [self._start, *near])
        start = next(each for each in found if key_of(each.settings) == own)
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
        next_step: list[ModelSettings] = []
        for _ in range(self._plan.climbs * _MOST_ROUNDS):
            before, follows = found[0], bool(next_step)
            near = next_step or self._around(before.settings, power)
            known = {key_of(each.settings) for each in found}
            unknown = [each for each in near if key_of(each) not in known]
            found = sorted([*found, *self._try(_MIDDLE, unknown)], key=_ndcg, reverse=True)
            is_better = _is_better(found[0], before)
            next_step = [onward(before.settings, found[0].settings)] if is_better else []
            if is_better or follows:
                continue
            left -= 1
            if not left:
                break
            if found[0] is before:
                power *= _SHRINKAGE
        return found

    def _around(self, settings: ModelSettings, power: float) -> Iterator[ModelSettings]:
        return around(settings, power, self._folds[0].matrix)

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
        return Trial("start", blended)

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
            found.append(self._keep(Trial(stage, blended)))
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


def _fidelity(stage: str, als: AlsSettings) -> AlsSettings:
    if stage == _FINAL:
        return als
    return replace(
        als,
        factors=min(als.factors, _FACTORS[stage]),
        iterations=min(als.iterations, _ITERATIONS[stage]),
    )


def _ndcg(trial: Trial | Blended) -> float:
    return trial.ndcg


def _factors(trial: Trial) -> int:
    return trial.settings.als.factors
