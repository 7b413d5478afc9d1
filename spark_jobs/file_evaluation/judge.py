"""Fit a model, rank for the test's users and judge the lists, timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from recsys.training.baselines import Baseline
from recsys.training.baselines.popularity import popularity
from recsys.training.build import BuiltModel
from recsys.training.evaluation import Report, ScoreFunction, evaluate, judge
from recsys.training.evaluation.score_functions import masked
from recsys.training.top_n import top_n_lists
from spark_jobs.file_evaluation.data import JudgedData

Say = Callable[[str], None]

K = 20
_PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class Judged:
    """A model's metrics on known users, and wall-clock seconds."""

    report: Report
    train_seconds: float
    rank_seconds: float


def judge_baseline(name: str, fit: Baseline, data: JudgedData, say: Say) -> Judged:
    """Fit and judge one model; all are masked alike."""
    started = time.perf_counter()
    score = fit(data.pairs)
    fitted = time.perf_counter()
    say(f"{name}: trained in {fitted - started:.1f} s")
    return judge_scores(name, score, data, fitted - started, say)


def judge_scores(
    name: str, score: ScoreFunction, data: JudgedData, train_seconds: float, say: Say
) -> Judged:
    """Judge what is fitted already."""
    started = time.perf_counter()
    report = evaluate(
        masked(score, data.pairs, data.eligible),
        data.known,
        data.behaviour,
        K,
        _progress(name, len(data.known), say),
    )
    seconds = time.perf_counter() - started
    say(f"{name}: {len(data.known):,} users ranked and judged in {seconds:.1f} s")
    return Judged(report, train_seconds, seconds)


def judge_model(built: BuiltModel, data: JudgedData, train_seconds: float, say: Say) -> Judged:
    """Judge the lists that would be published; the mask is in the histories of the model."""
    started = time.perf_counter()
    users = data.known.users
    lists = top_n_lists(built.items, built.users, users, built.neighbour_weight, K)
    report = judge(lists.items, data.known, data.behaviour)
    seconds = time.perf_counter() - started
    say(f"model: {len(users):,} users ranked and judged in {seconds:.1f} s")
    return Judged(report, train_seconds, seconds)


def judge_cold(data: JudgedData) -> Report:
    """How popular items, which the system falls back to, do for users nothing is known about."""
    fallback = masked(popularity(data.pairs), data.pairs, data.eligible)
    return evaluate(fallback, data.cold, data.behaviour, K)


def _progress(name: str, users: int, say: Say) -> Callable[[int], None]:
    told = time.perf_counter()

    def on_users(done: int) -> None:
        nonlocal told
        if time.perf_counter() - told >= _PROGRESS_SECONDS:
            told = time.perf_counter()
            say(f"{name}: {done:,} of {users:,} users ranked")

    return on_users
