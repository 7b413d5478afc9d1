"""Events of each type by day: types that no settings name, and days with fewer than usual."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import median

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from recsys.core.times import MS_PER_DAY, utc_datetime

# Of each type of event, by the number of the day since 1970, in UTC.
DailyCounts = Mapping[str, Mapping[int, int]]

# A shop that is closed on Saturdays has none on any of them.
_WEEKDAYS_COMPARED = 4
_DAYS_PER_WEEK = 7
# A holiday or a bad day has more than this share of the usual; a feed that broke has less.
_FEW = 0.1
# Of less than this a tenth says nothing.
_LEAST_USUAL = 20


def daily_counts(spark: SparkSession, events: Path) -> DailyCounts:
    """Count the events of the read step."""
    day = F.floor(F.col("timestamp_ms") / int(MS_PER_DAY)).alias("day")
    found: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for row in spark.read.parquet(str(events)).groupBy("event_type", day).count().collect():
        found[row["event_type"]][row["day"]] = row["count"]
    return found


def unnamed_types(counts: DailyCounts, named: Collection[str]) -> dict[str, int]:
    """Count the events of each type that the shop's settings do not name, by its name."""
    return {name: sum(counts[name].values()) for name in sorted(counts) if name not in named}


def quiet_day(counts: DailyCounts, named: Collection[str], before_ms: int) -> str | None:
    """Say of which types far fewer events than usual came on the last whole day before a moment.

    Usual is the median of the same day of the four weeks before. None where nothing is missing.
    """
    day = before_ms // int(MS_PER_DAY) - 1
    found = []
    for name in sorted(counts.keys() & set(named)):
        by_day = counts[name]
        weeks = range(1, _WEEKDAYS_COMPARED + 1)
        usual = median(by_day.get(day - _DAYS_PER_WEEK * week, 0) for week in weeks)
        count = by_day.get(day, 0)
        if usual >= _LEAST_USUAL and count < usual * _FEW:
            found.append(f"{name} {count:,} (usually {usual:,.0f})")
    if not found:
        return None
    date = utc_datetime(day * MS_PER_DAY)
    return (
        f"far fewer events than usual on {date:%A, %Y-%m-%d}: {', '.join(found)};"
        " did tracking or an import break?"
    )
