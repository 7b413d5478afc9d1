"""The run: read, train, rank, evaluate; then the ablation and the baselines."""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from recsys.evaluation.ablation import ablations
from recsys.evaluation.baselines import Baseline
from recsys.evaluation.data import Mask, evaluation_data
from recsys.evaluation.model_results import (
    evaluate_baseline,
    evaluate_cold_users,
    evaluate_model,
)
from recsys.evaluation.result import Backend, EvaluationResult, Source, TuningSummary
from recsys.evaluation.result_table import MODEL
from recsys.runtime.shop import Shop
from recsys.training.als import Trained
from recsys.training.build import build_model
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from recsys.tuning import Tuned, Validation, hold_out, tune
from spark_jobs.file_evaluation.read_split import OneFile, Say, TwoFiles, read_split


@dataclass(frozen=True)
class Tuning:
    """How long to search for settings, and the file that keeps the trials."""

    seconds: float
    journal: Path | None = None


@dataclass(frozen=True)
class Request:
    """What to train on, what to judge by, and how; without tuning the settings are taken.

    Attributes:
        cutoffs: each k that metrics are wanted at.
        now_ms: no event may be more than a day ahead of it.
        ablation: whether the model is evaluated with parts of its score turned off, too.
    """

    files: TwoFiles | OneFile
    shop: Shop
    settings: ModelSettings
    mask: Mask
    cutoffs: tuple[int, ...]
    now_ms: int
    ablation: bool = False
    tuning: Tuning | None = None


def evaluate_files(
    request: Request,
    baselines: Mapping[str, Baseline],
    say: Say,
    on_result: Callable[[EvaluationResult], None],
) -> EvaluationResult:
    """Evaluate the model, then parts of it where wanted, then the baselines.

    Args:
        on_result: called as soon as the model is evaluated and after each step from there on, so
            that what took long is not lost when a later part fails.

    Raises:
        InvalidInput, NoData, ConfigurationError: see the message.
    """
    source, validation = _read_files(request, baselines, say)
    data, k = source.data, request.cutoffs
    users, items = data.pairs.shape
    say(f"training: {users:,} users, {items:,} items, {len(data.pairs.item_indices):,} pairs")
    tuned = _tune(request, validation, say) if validation else None
    settings = tuned.settings if tuned else request.settings
    started = time.perf_counter()
    built = build_model(
        data.pairs, ("",) * items, data.eligible, settings, _iterations(settings, say)
    )
    seconds = time.perf_counter() - started
    result = EvaluationResult(
        source=source,
        settings=settings,
        tuned=TuningSummary(tuned.trials, tuned.ndcg, tuned.default_ndcg) if tuned else None,
        shop=request.shop,
        mask=request.mask,
        backend=_backend(built.trained),
        model=evaluate_model(MODEL, built, data, k, seconds, say),
        cold_users=evaluate_cold_users(data, k),
        peak_memory_mib=_peak_memory_mib(),
    )
    on_result(result)
    for name, partial in ablations(built) if request.ablation else ():
        result.ablations[name] = evaluate_model(name, partial, data, k, say=say)
        on_result(result)
    for name, baseline in baselines.items():
        result.baselines[name] = evaluate_baseline(name, baseline, data, k, say)
        on_result(result)
    return result


def _backend(trained: Trained) -> Backend:
    return Backend(trained.backend, trained.device.value, trained.alpha, trained.versions)


def _read_files(
    request: Request, baselines: Mapping[str, Baseline], say: Say
) -> tuple[Source, Validation | None]:
    """Only the pairs stay in memory: the events of a large file take as much again."""
    started = time.perf_counter()
    read = read_split(request.files, request.shop, request.now_ms, say)
    data = evaluation_data(
        read.split,
        request.shop,
        request.mask,
        with_sequences=any(baseline.needs_sequences for baseline in baselines.values()),
    )
    # Said now, not after the model's training.
    for baseline in baselines.values():
        baseline.check(data)
    source = Source(
        data=data,
        split=read.how,
        rows={"train": len(read.split.train), "test": len(read.split.test)},
        left_out=read.left_out,
        seconds=time.perf_counter() - started,
    )
    return source, _validation(request, read.split.aged_train()) if request.tuning else None


def _validation(request: Request, log: EventLog) -> Validation:
    shop, seed = request.shop, request.settings.als.seed
    return hold_out(log, shop.half_life_days, shop.popularity_half_life_days, seed)


def _tune(request: Request, validation: Validation, say: Say) -> Tuned:
    tuning = request.tuning or Tuning(0.0)
    say(
        f"tuning for {tuning.seconds / 60:g} minutes on {validation.judged_users:,} users' held-out"
        " part of the training file"
    )
    return tune(validation, request.settings, tuning.seconds, journal=tuning.journal, say=say)


def _iterations(settings: ModelSettings, say: Say) -> Callable[[int], None]:
    iterations = settings.als.iterations

    def on_iteration(done: int) -> None:
        if done % 5 == 0 or done == iterations:
            say(f"{MODEL}: iteration {done} of {iterations}")

    return on_iteration


def _peak_memory_mib() -> float:
    # Linux counts KiB, macOS bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
