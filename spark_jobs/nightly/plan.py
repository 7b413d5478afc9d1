"""What a nightly run is asked to do."""

from dataclasses import dataclass, field
from enum import Enum

from recsys.runtime.shop import Shop
from recsys.training.settings import ModelSettings
from spark_jobs.run_folder import Window


class Step(Enum):
    """The steps, in order."""

    READ = "read"
    TRAIN = "train"
    EVALUATE = "evaluate"
    PUBLISH = "publish"


@dataclass(frozen=True)
class Plan:
    """One run.

    Attributes:
        window: the events to read.
        holdout_days: the newest days are held out to judge the model by.
        max_drop: share of NDCG a new model may lose against the current one.
        force: train and publish also when nothing changed.
    """

    tenant: str
    window: Window
    shop: Shop
    model: ModelSettings = field(default_factory=ModelSettings)
    holdout_days: float = 28.0
    max_drop: float = 0.1
    force: bool = False
