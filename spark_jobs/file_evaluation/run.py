"""The run: read, train, rank, judge; then the baselines."""

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from recsys.evaluation.baselines import Baseline
from recsys.evaluation.data import Mask, judged_data
from recsys.evaluation.model_results import Say, judge_baseline, judge_cold, judge_model
from recsys.evaluation.result import MODEL, Backend, Outcome, Source, TuningSummary
from recsys.evaluation.splits import follows
from recsys.runtime.shop import Shop
from recsys.training.als import Trained
from recsys.training.build import build_model
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from recsys.tuning import Tuned, Validation, hold_out, tune
from spark_jobs.file_evaluation.event_file import EventFile, read_event_file

_ROWS_BETWEEN_LINES = 10_000_000


@dataclass(frozen=True)
class Tuning:
    """How long to search for settings, and the file that keeps the trials."""

    seconds: float
    journal: Path | None = None


@dataclass(frozen=True)
class Request:
    """What to train on, what to judge by, and how; without tuning the settings are taken.

    Attributes:
        now_ms: no event may be more than a day ahead of it.
    """

    train: Path
    test: Path
    shop: Shop
    settings: ModelSettings
    mask: Mask
    now_ms: int
    tuning: Tuning | None = None


def evaluate_files(
    request: Request,
    baselines: Mapping[str, Baseline],
    say: Say,
    on_result: Callable[[Outcome], None],
) -> Outcome:
    """Judge the model, then the baselines.

    Args:
        on_result: called as soon as the model is judged and after each baseline, so that what took
            long is not lost when a later part fails.

    Raises:
        InvalidInput, NoData, ConfigurationError: see the message.
    """
    source, validation = _read_files(request, say)
    data = source.data
    users, items = data.pairs.shape
    say(f"training: {users:,} users, {items:,} items, {len(data.pairs.item_indices):,} pairs")
    tuned = _tune(request, validation, say) if validation else None
    settings = tuned.settings if tuned else request.settings
    started = time.perf_counter()
    built = build_model(
        data.pairs, ("",) * items, data.eligible, settings, _iterations(settings, say)
    )
    model = judge_model(MODEL, built, data, time.perf_counter() - started, say)
    outcome = Outcome(
        source=source,
        settings=settings,
        tuned=TuningSummary(tuned.trials, tuned.ndcg, tuned.default_ndcg) if tuned else None,
        shop=request.shop,
        mask=request.mask,
        backend=_backend(built.trained),
        model=model,
        cold=judge_cold(data),
        peak_memory_mib=_peak_memory_mib(),
    )
    on_result(outcome)
    for name, fit in baselines.items():
        outcome.baselines[name] = judge_baseline(name, fit, data, say)
        on_result(outcome)
    return outcome


def _backend(trained: Trained) -> Backend:
    return Backend(trained.backend, trained.device.value, trained.alpha, trained.versions)


def _read_files(request: Request, say: Say) -> tuple[Source, Validation | None]:
    """Only the pairs stay in memory: the events of a large file take as much again."""
    started = time.perf_counter()
    train = _read(request.train, request, say)
    test = _read(request.test, request, say)
    log = train.log
    if log.timestamps_ms is not None and not follows(log, test.log):
        say("the test is not of a time after the training: ages and trends are left out")
        log = replace(log, timestamps_ms=None)
    source = Source(
        data=judged_data(log, test.log, request.shop, request.mask),
        rows={"train": len(log), "test": len(test.log)},
        left_out={"train": train.left_out, "test": test.left_out},
        seconds=time.perf_counter() - started,
    )
    return source, _validation(request, log) if request.tuning else None


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


def _read(path: Path, request: Request, say: Say) -> EventFile:
    told = 0

    def on_rows(rows: int) -> None:
        nonlocal told
        if rows - told >= _ROWS_BETWEEN_LINES:
            told = rows
            say(f"{path.name}: {rows:,} rows")

    found = read_event_file(path, request.shop, request.now_ms, on_rows)
    say(f"{path.name}: {len(found.log):,} events read")
    if found.left_out:
        say(f"{path.name}: {found.left_out:,} rows without user_id or item_id left out")
    return found


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
