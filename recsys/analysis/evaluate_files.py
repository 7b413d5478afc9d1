"""Evaluate the model on files: read, fit, train, rank; then ablations and baselines."""

import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from recsys.config.shop import Shop
from recsys.core.domain import Item
from recsys.core.errors import ConfigurationError
from recsys.core.wording import pluralize
from recsys.evaluation.ablation import ablations
from recsys.evaluation.baselines import Baseline
from recsys.evaluation.cold_items import cold_item_metrics
from recsys.evaluation.data import EvaluationData, Mask, evaluation_data
from recsys.evaluation.files.event_file import FileOptions, name_of
from recsys.evaluation.files.item_file import ItemFiles, read_items
from recsys.evaluation.files.read_split import OneLog, Say, TwoLogs, read_split
from recsys.evaluation.model_results import (
    evaluate_baseline,
    evaluate_cold_users,
    evaluate_model,
)
from recsys.evaluation.protocol import Split
from recsys.evaluation.report import Report
from recsys.evaluation.result import EvaluationInput, EvaluationResult, FitSummary, TrainingBackend
from recsys.evaluation.result_table import MODEL
from recsys.training.als import Trained
from recsys.training.build import BuiltModel, build_model
from recsys.training.content import ItemContent
from recsys.training.event_log import EventLog
from recsys.training.settings import ModelSettings
from recsys.tuning import PLANS, FitEffort, Fitted, Validation, fit_settings, hold_out_if_judgeable


@dataclass(frozen=True)
class EvaluationRequest:
    """One evaluation: files to train and test on, settings, metrics.

    Attributes:
        settings: where the search for settings begins, with the half-lives that the shop fixes;
            without effort they are taken.
        cutoffs: each k that metrics are wanted at.
        now_ms: no event may be more than a day ahead of it.
        reading: how the files are read.
        ablation: whether the model is evaluated with parts of its score turned off, too.
        items: the catalogue, whose content tells of items without behaviour.
    """

    files: TwoLogs | OneLog
    shop: Shop
    settings: ModelSettings
    mask: Mask
    cutoffs: tuple[int, ...]
    now_ms: int
    reading: FileOptions = field(default_factory=FileOptions)
    ablation: bool = False
    items: ItemFiles | None = None
    effort: FitEffort = FitEffort.QUICK


def evaluate_files(
    request: EvaluationRequest,
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
    items = _read_items(request.items, say) if request.items else []
    source, validation, split = _read_files(request, items, baselines, say)
    users, rows = source.data.pairs.shape
    pairs = len(source.data.pairs.item_indices)
    sizes = pluralize(users, "user"), pluralize(rows, "item"), pluralize(pairs, "pair")
    say(f"training: {', '.join(sizes)}")
    if request.items:
        _tell_of_catalogue(request.items, items, source.data, say)
    fitted = _fit(request, validation, say) if validation else None
    settings = fitted.settings if fitted else request.settings
    if split is not None and settings.counting != request.settings.counting:
        source = replace(source, data=_data(request, settings, split, items, baselines))
    data, k = source.data, request.cutoffs
    started = time.perf_counter()
    built = _built(data, settings, data.content, say)
    seconds = time.perf_counter() - started
    result = EvaluationResult(
        source=source,
        settings=settings,
        fitted=_summary(fitted) if fitted else None,
        shop=request.shop,
        mask=request.mask,
        backend=_backend(built.trained),
        model=evaluate_model(MODEL, built, data, k, seconds, say),
        cold_users=evaluate_cold_users(data, k),
        new_items=_new_items(built, data),
        peak_memory_mib=_peak_memory_mib(),
    )
    on_result(result)
    for name, partial in _ablations(built, data, settings, say) if request.ablation else ():
        result.ablations[name] = evaluate_model(name, partial, data, k, say=say)
        on_result(result)
    for name, baseline in baselines.items():
        result.baselines[name] = evaluate_baseline(name, baseline, data, k, say)
        on_result(result)
    return result


def _built(
    data: EvaluationData, settings: ModelSettings, content: ItemContent | None, say: Say
) -> BuiltModel:
    titles = ("",) * len(data.pairs.items)
    told = _iterations(settings, say)
    return build_model(data.pairs, titles, data.eligible, settings, told, content=content)


def _new_items(built: BuiltModel, data: EvaluationData) -> Mapping[str, Report]:
    if data.content is None:
        return {}
    shoppers = data.behaviour.matrix.getnnz(axis=0)
    return cold_item_metrics(built, shoppers, data.content, data.known)


def _ablations(
    built: BuiltModel, data: EvaluationData, settings: ModelSettings, say: Say
) -> Iterator[tuple[str, BuiltModel]]:
    yield from ablations(built)
    if data.content is not None:
        # Content is in factors and neighbours: without it they are others.
        yield "content off", _built(data, settings, None, say)


def _backend(trained: Trained) -> TrainingBackend:
    return TrainingBackend(trained.backend, trained.device.value, trained.alpha, trained.versions)


def _read_items(files: ItemFiles, say: Say) -> list[Item]:
    items, left_out = read_items(files)
    say(f"{name_of(files.paths)}: {pluralize(len(items), 'item')} read")
    for reason, count in left_out.most_common():
        parts = pluralize(count, "row or value", "rows or values")
        say(f"{name_of(files.paths)}: {parts} left out: {reason}")
    return items


def _tell_of_catalogue(
    files: ItemFiles, items: Sequence[Item], data: EvaluationData, say: Say
) -> None:
    """Say how many of the items of training the catalogue has.

    Raises:
        ConfigurationError: when it has none, and so is about other ids.
    """
    catalogue = {item.item_id for item in items}
    rows = np.flatnonzero(data.behaviour.matrix.getnnz(axis=0))
    found = sum(data.pairs.items.id_of(row) in catalogue for row in rows.tolist())
    if not found:
        raise ConfigurationError(
            f"{name_of(files.paths)} has none of the {pluralize(len(rows), 'item')} of training: is"
            " its item_id that of the events? Name the column, for example --item-mapping"
            " COLUMN=item_id"
        )
    with_behaviour = pluralize(len(rows), "item")
    say(f"{name_of(files.paths)}: has {found:,} of the {with_behaviour} with behaviour")


def _read_files(
    request: EvaluationRequest,
    items: Sequence[Item],
    baselines: Mapping[str, Baseline],
    say: Say,
) -> tuple[EvaluationInput, Validation | None, Split | None]:
    """Read the data, and hold out what settings are found by.

    The events of a large file take as much memory as the pairs, and are returned only where other
    half-lives or weights may make other pairs of them.
    """
    started = time.perf_counter()
    read = read_split(request.files, request.shop, request.now_ms, say, request.reading)
    data = _data(request, request.settings, read.split, items, baselines)
    # Said now, not after the model's training.
    for baseline in baselines.values():
        baseline.check(data)
    source = EvaluationInput(
        data=data,
        split=read.how,
        rows={"train": len(read.split.train), "test": len(read.split.test)},
        left_out=read.left_out,
        seconds=time.perf_counter() - started,
    )
    validation = _validation(request, read.split.timed_train(), say)
    is_final = validation is None or not validation.remakes_pairs
    return source, validation, None if is_final else read.split


def _data(
    request: EvaluationRequest,
    settings: ModelSettings,
    split: Split,
    items: Sequence[Item],
    baselines: Mapping[str, Baseline],
) -> EvaluationData:
    return evaluation_data(
        split,
        request.shop,
        request.mask,
        settings=settings,
        items=items,
        with_sequences=any(baseline.needs_sequences for baseline in baselines.values()),
    )


def _validation(request: EvaluationRequest, log: EventLog, say: Say) -> Validation | None:
    """Hold out what settings are compared on; None where they are taken as they are."""
    if request.effort is FitEffort.OFF:
        return None
    size = PLANS[request.effort].size
    return hold_out_if_judgeable(log, request.shop, request.settings, size, request.mask, say)


def _fit(request: EvaluationRequest, validation: Validation, say: Say) -> Fitted:
    say(
        f"fitting settings ({request.effort.value}) on the held-out part of training of"
        f" {pluralize(validation.judged_users, 'user')}"
    )
    return fit_settings(validation, request.settings, request.effort, say=say)


def _summary(fitted: Fitted) -> FitSummary:
    trials = tuple((each.stage, each.ndcg, each.settings) for each in fitted.trials)
    return FitSummary(trials, fitted.ndcg, fitted.start_ndcg, fitted.seconds)


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
