"""What `recsys evaluate` found, as JSON and as a table."""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from recsys.evaluation import Estimate, Report
from recsys.evaluation.data import JudgedData, Mask
from recsys.evaluation.metrics_table import aligned, metric_rows
from recsys.evaluation.model_results import Judged
from recsys.files import write_whole
from recsys.runtime.shop import Shop
from recsys.training.settings import ModelSettings, settings_entry

MODEL = "model"


@dataclass(frozen=True)
class TuningSummary:
    """How a search for settings went: see `recsys.tuning.Tuned`."""

    trials: int
    ndcg: float
    default_ndcg: float


@dataclass(frozen=True)
class Backend:
    """What trained the model, and the alpha it found where none was set."""

    name: str
    device: str
    alpha: float
    versions: dict[str, str]


@dataclass(frozen=True)
class Source:
    """What was read.

    Attributes:
        rows: events read, by file.
        left_out: rows without user or item, by file.
        seconds: wall-clock, of reading and pairing up.
    """

    data: JudgedData
    rows: dict[str, int]
    left_out: dict[str, int]
    seconds: float


@dataclass
class Outcome:
    """All results; baselines come in one after the other.

    Attributes:
        peak_memory_mib: of the process, up to the judged model.
    """

    source: Source
    settings: ModelSettings
    tuned: TuningSummary | None
    shop: Shop
    mask: Mask
    backend: Backend
    model: Judged
    cold: Report
    peak_memory_mib: float
    baselines: dict[str, Judged] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the results as JSON; who reads meanwhile sees the old file or the new one."""
        write_whole(path, json.dumps(self.entries(), indent=2, allow_nan=False) + "\n")

    def entries(self) -> dict[str, Any]:
        """The results as JSON values; a number that does not exist is null."""
        model, data = self.model, self.source.data
        baselines = {name: self._baseline(found) for name, found in self.baselines.items()}
        return {
            **_metrics(model.report),
            "users": len(data.known),
            "cold_users": {"users": len(data.cold), **_metrics(self.cold)},
            "all_users": self._all_users(),
            "data": self._data(),
            "seconds": {
                "read": round(self.source.seconds, 3),
                "train": round(model.train_seconds, 3),
                "rank": round(model.rank_seconds, 3),
            },
            "peak_memory_mib": round(self.peak_memory_mib, 1),
            "settings": self._settings(),
            "tuning": self._tuning(),
            "backend": asdict(self.backend),
            "baselines": baselines,
        }

    def lines(self) -> list[str]:
        """The results for a terminal."""
        reports = {MODEL: self.model.report}
        reports |= {name: found.report for name, found in self.baselines.items()}
        lines = aligned(metric_rows(reports))
        for name, found in self.baselines.items():
            lines.append(f"{MODEL} - {name}: " + _difference_line(self.model, found))
        return [*lines, *self._notes()]

    def _notes(self) -> list[str]:
        data, means = self.source.data, self.cold.means
        notes = [f"{len(data.known):,} users judged; brackets are 95 % intervals of a mean"]
        if self.tuned:
            notes.append(
                f"tuned in {self.tuned.trials} trials: ndcg_at_20 {self.tuned.ndcg:.4f} on the"
                f" validation part, {self.tuned.default_ndcg:.4f} with the defaults"
            )
        if len(data.cold):
            found = ", ".join(f"{name} {means[name]:.4f}" for name in list(means)[:2])
            notes.append(f"{len(data.cold):,} cold users, answered with popular items: {found}")
        unknown = data.known.unknown_pairs + data.cold.unknown_pairs
        for count, reason in (
            (unknown, "their item is not in training"),
            (data.masked_pairs, "their item is masked, see --mask"),
        ):
            if count:
                notes.append(f"{count:,} test pairs count but cannot be hit: {reason}")
        return notes

    def _all_users(self) -> dict[str, Any]:
        """Known and cold users together, as the system answers them."""
        known, cold = self.model.report.per_user, self.cold.per_user
        values = {name: np.append(known[name], cold.get(name, ())) for name in known}
        pooled = Report(np.append(self.model.report.users, self.cold.users), values)
        return {"users": len(pooled.users), **_metrics(pooled)}

    def _tuning(self) -> dict[str, Any] | None:
        if self.tuned is None:
            return None
        return {
            "trials": self.tuned.trials,
            "validation_ndcg_at_20": self.tuned.ndcg,
            "validation_ndcg_at_20_of_defaults": self.tuned.default_ndcg,
        }

    def _baseline(self, found: Judged) -> dict[str, Any]:
        differences = self.model.report.minus(found.report)
        return {
            **_metrics(found.report),
            "model_minus_baseline": {name: _bounds(d) for name, d in differences.items()},
            "seconds": {
                "train": round(found.train_seconds, 3),
                "rank": round(found.rank_seconds, 3),
            },
        }

    def _data(self) -> dict[str, Any]:
        source, data = self.source, self.source.data
        users, items = data.pairs.shape
        return {
            "train_rows": source.rows["train"],
            "train_rows_left_out": source.left_out["train"],
            "train_users": users,
            "train_items": items,
            "train_pairs": len(data.pairs.item_indices),
            "test_rows": source.rows["test"],
            "test_rows_left_out": source.left_out["test"],
            "test_pairs": len(data.known.items) + len(data.cold.items),
            "test_pairs_of_unknown_items": data.known.unknown_pairs + data.cold.unknown_pairs,
            "test_pairs_masked": data.masked_pairs,
        }

    def _settings(self) -> dict[str, Any]:
        shop = asdict(self.shop)
        return {"mask": self.mask.value, "model": settings_entry(self.settings), "shop": shop}


def _metrics(report: Report) -> dict[str, Any]:
    intervals = {name: _bounds(found)[1:] for name, found in report.estimates.items()}
    means = {name: _number(value) for name, value in report.means.items()}
    return {**means, "intervals": intervals}


def _bounds(found: Estimate) -> list[float | None]:
    return [_number(found.mean), _number(found.low), _number(found.high)]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _difference_line(ours: Judged, theirs: Judged) -> str:
    found = list(ours.report.minus(theirs.report).items())[:2]
    return ", ".join(f"{name} {d.mean:+.4f} [{d.low:+.4f}, {d.high:+.4f}]" for name, d in found)
