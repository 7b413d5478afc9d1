"""Models side by side, in words for a terminal."""

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.evaluation.report import Report


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
