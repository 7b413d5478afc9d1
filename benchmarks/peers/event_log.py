"""What Spark's event log says about shuffles."""

import json
from collections import Counter
from pathlib import Path


def shuffled_bytes(log: Path) -> Counter[str]:
    """Bytes written to shuffles, by the job group that wrote them."""
    group_of_stage: dict[int, str] = {}
    written: Counter[str] = Counter()
    with log.open(encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            if event["Event"] == "SparkListenerJobStart":
                group = event["Properties"].get("spark.jobGroup.id", "")
                # A stage that several jobs share runs in the first of them.
                for stage in event["Stage IDs"]:
                    group_of_stage.setdefault(stage, group)
            elif event["Event"] == "SparkListenerTaskEnd":
                metrics = event.get("Task Metrics", {}).get("Shuffle Write Metrics", {})
                group = group_of_stage[event["Stage ID"]]
                written[group] += metrics.get("Shuffle Bytes Written", 0)
    return written
