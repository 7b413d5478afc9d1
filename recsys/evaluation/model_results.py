"""Fit models, rank for the test's users and evaluate the lists, timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recsys.core.wording import pluralize
from recsys.evaluation.baselines import Baseline
from recsys.evaluation.baselines.popularity import popularity
from recsys.evaluation.data import EvaluationData
from recsys.evaluation.held_out import RankedLists, TestSet
from recsys.evaluation.model_lists import model_lists
from recsys.evaluation.ranked_lists import evaluate, top_k_lists
from recsys.evaluation.report import DEFAULT_K, Cutoffs, Report, cutoffs_of, evaluate_lists
from recsys.evaluation.score_functions import masked
from recsys.training.build import BuiltModel

Say = Callable[[str], None]
OnUsers = Callable[[int], None]

_PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class ModelResult:
    """A model's metrics on known users, and wall-clock seconds.

    Attributes:
        report: of all their test pairs.
        warm_items: of the pairs whose item has behaviour in training.
        cold_items: of those whose item has none.
    """

    report: Report
    warm_items: Report
    cold_items: Report
    train_seconds: float
    rank_seconds: float


def evaluate_model(
    name: str,
    built: BuiltModel,
    data: EvaluationData,
    k: Cutoffs = DEFAULT_K,
    train_seconds: float = 0.0,
    say: Say = lambda _: None,
) -> ModelResult:
    """Evaluate our own model, which masks by itself.

    Args:
        k: one cut-off or several; lists are ranked once, at the largest.
        train_seconds: what it took to build.
    """

    def rank(on_users: OnUsers) -> RankedLists:
        return model_lists(built, data.known, max(cutoffs_of(k)), on_users)

    return _evaluated(name, rank, data, k, train_seconds, say)


def evaluate_baseline(
    name: str,
    baseline: Baseline,
    data: EvaluationData,
    k: Cutoffs = DEFAULT_K,
    say: Say = lambda _: None,
) -> ModelResult:
    """Fit and evaluate a baseline; all are masked as the model is."""
    started = time.perf_counter()
    score = masked(baseline.fit(data), data.pairs, data.eligible)
    seconds = time.perf_counter() - started
    say(f"{name}: trained in {seconds:.1f} s")

    def rank(on_users: OnUsers) -> RankedLists:
        return top_k_lists(score, data.known, max(cutoffs_of(k)), on_users)

    return _evaluated(name, rank, data, k, seconds, say)


def evaluate_cold_users(data: EvaluationData, k: Cutoffs = DEFAULT_K) -> Report:
    """Evaluate popular items, the fallback, for unknown users."""
    fallback = masked(popularity(data.pairs), data.pairs, data.eligible)
    return evaluate(fallback, data.cold, data.behaviour, k)


def _evaluated(
    name: str,
    rank: Callable[[OnUsers], RankedLists],
    data: EvaluationData,
    k: Cutoffs,
    train_seconds: float,
    say: Say,
) -> ModelResult:
    started = time.perf_counter()
    lists = rank(_progress(name, len(data.known), say))
    seconds = time.perf_counter() - started
    say(f"{name}: {pluralize(len(data.known), 'user')} ranked in {seconds:.1f} s")

    def of_part(part: TestSet) -> Report:
        return evaluate_lists(lists[np.searchsorted(data.known.users, part.users)], part, k=k)

    return ModelResult(
        report=evaluate_lists(lists, data.known, data.behaviour, k),
        warm_items=of_part(data.warm_pairs),
        cold_items=of_part(data.cold_pairs),
        train_seconds=train_seconds,
        rank_seconds=seconds,
    )


def _progress(name: str, users: int, say: Say) -> OnUsers:
    told = time.perf_counter()

    def on_users(done: int) -> None:
        nonlocal told
        if time.perf_counter() - told >= _PROGRESS_SECONDS:
            told = time.perf_counter()
            say(f"{name}: {done:,} of {pluralize(users, 'user')} ranked")

    return on_users
