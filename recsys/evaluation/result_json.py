"""The result of an evaluation as JSON."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from recsys.evaluation.held_out import TestSet
from recsys.evaluation.intervals import Estimate
from recsys.evaluation.model_results import ModelResult
from recsys.evaluation.report import Report
from recsys.evaluation.result import EvaluationResult
from recsys.files import write_whole
from recsys.training.settings import settings_entry


def save_result(result: EvaluationResult, path: Path) -> None:
    """Write the results as JSON; who reads meanwhile sees the old file or the new one."""
    write_whole(path, json.dumps(json_entries(result), indent=2, allow_nan=False) + "\n")


def json_entries(result: EvaluationResult) -> dict[str, Any]:
    """The results as JSON values; a number that does not exist is null."""
    model, data = result.model, result.source.data
    return {
        **_metrics(model.report),
        "users": len(data.known),
        "cold_users": {"users": len(data.cold), **_metrics(result.cold_users)},
        "all_users": _all_users(result),
        **_by_item(result, model),
        "new_items": {
            name: {"users": len(found.users), **_metrics(found)}
            for name, found in result.new_items.items()
        },
        "data": _data(result),
        "seconds": {"read": round(result.source.seconds, 3), **_seconds(model)},
        "peak_memory_mib": round(result.peak_memory_mib, 1),
        "settings": _settings(result),
        "fit": _fit(result),
        "backend": asdict(result.backend),
        "baselines": {
            name: _beside_model(result, found, "model_minus_baseline")
            for name, found in result.baselines.items()
        },
        "ablation": {
            name: _beside_model(result, found, "model_minus_ablation")
            for name, found in result.ablations.items()
        },
    }


def _all_users(result: EvaluationResult) -> dict[str, Any]:
    """Known and cold users together, as the system answers them."""
    known, cold = result.model.report, result.cold_users
    values = {
        name: np.append(found, cold.per_user.get(name, ()))
        for name, found in known.per_user.items()
    }
    pooled = Report(np.append(known.users, cold.users), values)
    return {"users": len(pooled.users), **_metrics(pooled)}


def _by_item(result: EvaluationResult, model: ModelResult) -> dict[str, Any]:
    """Test pairs of known users, by whether their item has behaviour in training."""
    data = result.source.data

    def entry(part: TestSet, report: Report) -> dict[str, Any]:
        pairs = len(part.items)
        share = pairs / len(data.known.items)
        counts = {"users": len(part), "pairs": pairs, "share_of_pairs": share}
        return counts | _metrics(report)

    return {
        "warm_items": entry(data.warm_pairs, model.warm_items),
        "cold_items": entry(data.cold_pairs, model.cold_items),
    }


def _beside_model(
    result: EvaluationResult, found: ModelResult, difference_name: str
) -> dict[str, Any]:
    differences = result.model.report.minus(found.report)
    return {
        **_metrics(found.report),
        **_by_item(result, found),
        difference_name: {name: _bounds(d) for name, d in differences.items()},
        "seconds": _seconds(found),
    }


def _data(result: EvaluationResult) -> dict[str, Any]:
    source, data = result.source, result.source.data
    users, items = data.pairs.shape
    return {
        "train_rows": source.rows["train"],
        "train_rows_left_out": source.left_out["train"],
        "train_users": users,
        "train_items": items,
        "train_pairs": len(data.pairs.item_indices),
        "train_users_limited": data.pairs.limited_users,
        "test_rows": source.rows["test"],
        "test_rows_left_out": source.left_out["test"],
        "test_pairs": len(data.known.items) + len(data.cold.items),
        "test_pairs_of_unknown_items": data.known.unknown_pairs + data.cold.unknown_pairs,
        "test_pairs_masked": data.masked_pairs,
    }


def _settings(result: EvaluationResult) -> dict[str, Any]:
    return {
        "mask": result.mask.value,
        "split": {**result.source.split, "relation": result.source.data.relation.value},
        "model": settings_entry(result.settings),
        "shop": asdict(result.shop),
    }


def _fit(result: EvaluationResult) -> dict[str, Any] | None:
    fitted = result.fitted
    if fitted is None:
        return None
    return {
        "validation_ndcg_at_20": fitted.ndcg,
        "validation_ndcg_at_20_at_start": fitted.start_ndcg,
        "seconds": round(fitted.seconds, 3),
        "trials": [
            {"stage": stage, "validation_ndcg_at_20": ndcg, "settings": settings_entry(settings)}
            for stage, ndcg, settings in fitted.trials
        ],
    }


def _seconds(model: ModelResult) -> dict[str, float]:
    return {"train": round(model.train_seconds, 3), "rank": round(model.rank_seconds, 3)}


def _metrics(report: Report) -> dict[str, Any]:
    intervals = {name: _bounds(found)[1:] for name, found in report.estimates.items()}
    means = {name: _number(value) for name, value in report.means.items()}
    return {**means, "intervals": intervals}


def _bounds(found: Estimate) -> list[float | None]:
    return [_number(found.mean), _number(found.low), _number(found.high)]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
