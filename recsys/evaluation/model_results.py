"""Fit a model, rank for the test's users and judge the lists, timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from recsys.evaluation import Lists, Report, evaluate, judge, top_k_lists
from recsys.evaluation.baselines import Baseline
from recsys.evaluation.baselines.popularity import popularity
from recsys.evaluation.data import JudgedData
from recsys.evaluation.model_lists import model_lists
from recsys.evaluation.score_functions import masked
from recsys.training.build import BuiltModel

Say = Callable[[str], None]
OnUsers = Callable[[int], None]

K = 20
_PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class Judged:
    """A model's metrics on known users, and wall-clock seconds."""

    report: Report
    train_seconds: float
    rank_seconds: float


def judge_model(name: str, built: BuiltModel, data: JudgedData, seconds: float, say: Say) -> Judged:
    """Judge our own model, which was built in so many seconds and masks by itself."""

    def rank(on_users: OnUsers) -> Lists:
        return model_lists(built, data.known, K, on_users)

    return _judged(name, rank, data, seconds, say)


def judge_baseline(name: str, fit: Baseline, data: JudgedData, say: Say) -> Judged:
    """Fit and judge a baseline; all are masked as the model is."""
    started = time.perf_counter()
    score = masked(fit(data.pairs), data.pairs, data.eligible)
    seconds = time.perf_counter() - started
    say(f"{name}: trained in {seconds:.1f} s")

    def rank(on_users: OnUsers) -> Lists:
        return top_k_lists(score, data.known, K, on_users)

    return _judged(name, rank, data, seconds, say)


def _judged(
    name: str, rank: Callable[[OnUsers], Lists], data: JudgedData, train_seconds: float, say: Say
) -> Judged:
    started = time.perf_counter()
    lists = rank(_progress(name, len(data.known), say))
    seconds = time.perf_counter() - started
    say(f"{name}: {len(data.known):,} users ranked in {seconds:.1f} s")
    return Judged(judge(lists, data.known, data.behaviour, K), train_seconds, seconds)


def judge_cold(data: JudgedData) -> Report:
    """How popular items, which the system falls back to, do for users nothing is known about."""
    fallback = masked(popularity(data.pairs), data.pairs, data.eligible)
    return evaluate(fallback, data.cold, data.behaviour, K)


def _progress(name: str, users: int, say: Say) -> OnUsers:
    told = time.perf_counter()

    def on_users(done: int) -> None:
        nonlocal told
        if time.perf_counter() - told >= _PROGRESS_SECONDS:
            told = time.perf_counter()
            say(f"{name}: {done:,} of {users:,} users ranked")

    return on_users
