"""Context of a run: stores, plan and log, for every step."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import SparkSession

from recsys.core.ports import ItemStore
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles
from spark_jobs.event_snapshot.source import HBaseAddresses
from spark_jobs.nightly.cutoff import Cutoff
from spark_jobs.nightly.plan import Plan
from spark_jobs.nightly.publisher import Publisher
from spark_jobs.nightly.run_folder import RunFolder


@dataclass(frozen=True)
class Context:
    """Stores, session and clock of one run; `say` tells the operator how far it is.

    Attributes:
        holdout_days: those of the plan, or found by `Plan.holdout_days`'s rule.
    """

    plan: Plan
    spark: SparkSession
    hbase: HBaseAddresses
    items: ItemStore
    models: ModelFiles
    publisher: Publisher
    folder: RunFolder
    holdout_days: float
    cutoff: Cutoff
    now_ms: Callable[[], int]
    say: Callable[[str], None]

    def serving_version(self) -> str | None:
        """Version that the pointer names."""
        return self.publisher.published.current(self.plan.tenant)

    def serving_manifest(self) -> Manifest | None:
        """The manifest of the version that serves, or did last, if it can still be read."""
        return self.publisher.serving_manifest(self.plan.tenant)
