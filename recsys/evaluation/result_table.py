"""The result of an evaluation for a terminal, and metrics of models side by side."""

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.core.wording import pluralize
from recsys.evaluation.data import EvaluationData
from recsys.evaluation.intervals import Estimate
from recsys.evaluation.model_results import ModelResult
from recsys.evaluation.report import Report
from recsys.evaluation.result import EvaluationResult

MODEL = "model"


def table_lines(result: EvaluationResult) -> list[str]:
    """Models side by side, differences, ablation, and what there is to know of the data."""
    reports = {MODEL: result.model.report}
    reports |= {name: found.report for name, found in result.baselines.items()}
    lines = aligned(metric_rows(reports))
    for name, found in result.baselines.items():
        lines.append(f"{MODEL} - {name}: " + _difference_line(result.model, found))
    return [*lines, *_ablation_lines(result), *_notes(result)]


def _ablation_lines(result: EvaluationResult) -> list[str]:
    """A row for each way of turning parts of the score off, and what the whole gains on it."""
    if not result.ablations:
        return []
    names = _headline(result.model.report)
    rows = [["parts", *(cell for name in names for cell in (name, "all - this"))]]
    rows.append(["all", *(cell for n in names for cell in (_mean(result.model, n), ""))])
    for label, found in result.ablations.items():
        gains = result.model.report.minus(found.report)
        cells = ((_mean(found, n), _with_bounds(gains[n])) for n in names)
        rows.append([label, *(cell for pair in cells for cell in pair)])
    return ["", *aligned(rows), ""]


def _notes(result: EvaluationResult) -> list[str]:
    data = result.source.data
    judged = len(data.known)
    # Of one user, or none, there is no interval, and no bracket.
    brackets = (
        "brackets are 95 % intervals of a mean" if judged > 1 else "too few for a 95 % interval"
    )
    notes = [f"{pluralize(judged, 'user')} judged; {brackets}"]
    if limit_note := data.pairs.limit_note():
        notes.append(limit_note)
    if result.fitted:
        fitted = result.fitted
        notes.append(
            f"settings found in {pluralize(len(fitted.trials), 'trial')}, {fitted.seconds:.0f} s:"
            f" ndcg_at_20 {fitted.ndcg:.4f} on the validation part, {fitted.start_ndcg:.4f} with"
            " those to begin with"
        )
    if len(data.cold):
        found = _means_line(result.cold_users)
        notes.append(
            f"{pluralize(len(data.cold), 'cold user')}, answered with popular items: {found}"
        )
    notes += _item_notes(data, result.model)
    notes += _new_item_notes(result.new_items)
    unknown = data.known.unknown_pairs + data.cold.unknown_pairs
    for count, reason in (
        (unknown, "not in training"),
        (data.masked_pairs, "masked, see --mask"),
    ):
        if count:
            pairs = pluralize(count, "test pair counts", "test pairs count")
            notes.append(f"{pairs} but cannot be hit: the item is {reason}")
    return notes


def _item_notes(data: EvaluationData, model: ModelResult) -> list[str]:
    """Warm and cold items apart, where there are cold ones."""
    if not len(data.cold_pairs):
        return []
    pairs = len(data.known.items)
    return [
        f"{pluralize(len(part.items), 'test pair')} ({len(part.items) / pairs:.1%}) of {kind}"
        f" items: {_means_line(report)}"
        for kind, part, report in (
            ("warm", data.warm_pairs, model.warm_items),
            ("cold", data.cold_pairs, model.cold_items),
        )
        if len(part)
    ]


def _new_item_notes(reports: Mapping[str, Report]) -> list[str]:
    """Who ranks new items best, among these alone."""
    if not reports:
        return []
    users = len(reports[MODEL].users)
    found = "; ".join(f"{name} {_means_line(report)}" for name, report in reports.items())
    return [
        f"{pluralize(users, 'user')} wanted items without behaviour; these alone, ranked by {found}"
    ]


def _headline(report: Report) -> list[str]:
    """The metrics that a line has room for: the first two at the first cut-off."""
    return list(report.per_user)[:2]


def _mean(model: ModelResult, name: str) -> str:
    return f"{model.report.means[name]:.4f}"


def _means_line(report: Report) -> str:
    return ", ".join(f"{name} {report.means[name]:.4f}" for name in _headline(report))


def _difference_line(ours: ModelResult, theirs: ModelResult) -> str:
    found = ours.report.minus(theirs.report)
    return ", ".join(f"{name} {_with_bounds(found[name])}" for name in _headline(ours.report))


def _with_bounds(found: Estimate) -> str:
    if np.isnan(found.low):
        return f"{found.mean:+.4f}"
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def metric_rows(reports: Mapping[str, Report]) -> list[list[str]]:
    """A header, then a row a metric: each model's mean with its 95 % interval."""
    names = dict.fromkeys(name for report in reports.values() for name in report.means)
    return [
        ["metric", *reports],
        *([name, *(_cell(report, name) for report in reports.values())] for name in names),
    ]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines with columns under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _cell(report: Report, name: str) -> str:
    mean, estimate = report.means.get(name, np.nan), report.estimates.get(name)
    if np.isnan(mean):
        return "-"
    if estimate is None or np.isnan(estimate.low):
        return f"{mean:.4f}"
    return f"{mean:.4f} [{estimate.low:.4f}, {estimate.high:.4f}]"
