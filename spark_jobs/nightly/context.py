"""What every step of a run works with."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import SparkSession

from recsys.core.errors import InvalidModel, NotFound
from recsys.core.ports import ItemStore, PublishedModels
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles
from spark_jobs.nightly.plan import Plan
from spark_jobs.run_folder import RunFolder
from spark_jobs.settings import BatchSettings


@dataclass(frozen=True)
class Context:
    """Stores, session and clock of one run; `say` tells the operator how far it is."""

    plan: Plan
    settings: BatchSettings
    spark: SparkSession
    items: ItemStore
    models: ModelFiles
    published: PublishedModels
    folder: RunFolder
    now_ms: Callable[[], int]
    say: Callable[[str], None]

    def serving_manifest(self) -> Manifest | None:
        """The manifest of the version that serves now, if it can still be read."""
        version = self.published.current(self.plan.tenant)
        if version is None:
            return None
        try:
            return self.models.manifest(self.plan.tenant, version)
        except (NotFound, InvalidModel):
            return None
