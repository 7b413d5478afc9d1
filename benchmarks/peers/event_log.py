"""Bytes moved between executors, read from Spark's event log."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WRITTEN = "Shuffle Bytes Written"


def shuffled_bytes(log: Path) -> Counter[str]:
    """Bytes written to shuffles, by the job group that wrote them."""
    return _sums(log, lambda task: task.get("Shuffle Write Metrics", {}).get(_WRITTEN, 0))


def result_bytes(log: Path) -> Counter[str]:
    """Bytes of tasks' results, by job group."""
    return _sums(log, lambda task: task.get("Result Size", 0))


def _sums(log: Path, bytes_of: Callable[[dict[str, Any]], int]) -> Counter[str]:
    group_of_stage: dict[int, str] = {}
    found: Counter[str] = Counter()
    with log.open(encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            if event["Event"] == "SparkListenerJobStart":
                group = event["Properties"].get("spark.jobGroup.id", "")
                # A stage that several jobs share runs in the first of them.
                for stage in event["Stage IDs"]:
                    group_of_stage.setdefault(stage, group)
            elif event["Event"] == "SparkListenerTaskEnd":
                group = group_of_stage[event["Stage ID"]]
                found[group] += bytes_of(event.get("Task Metrics", {}))
    return found
