"""What a nightly run is asked to do."""

from dataclasses import dataclass, field
from enum import Enum

from recsys.runtime.shop import Shop
from recsys.training.settings import ModelSettings
from spark_jobs.distributed.choose import StrategyName
from spark_jobs.run_folder import Window

# Enough shoppers come back within four weeks, and four weeks hardly age a model.
DEFAULT_HOLDOUT_DAYS = 28.0


class Strategy(Enum):
    """How the model is trained; AUTO goes by the size of the data."""

    AUTO = "auto"
    SINGLE = StrategyName.SINGLE.value
    DATA_PARALLEL = StrategyName.DATA_PARALLEL.value
    MODEL_PARALLEL = StrategyName.MODEL_PARALLEL.value


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
        holdout_days: the newest days are held out to judge the model by; None for as many as the
            serving version was judged by, so that both can be compared.
        strategy: who trains, the driver or the executors; it does not change the model.
        task_memory_bytes: what the Python process of a Spark task may take.
        force: train and publish also when nothing changed or the gate refuses.
    """

    tenant: str
    window: Window
    shop: Shop
    model: ModelSettings = field(default_factory=ModelSettings)
    holdout_days: float | None = None
    strategy: Strategy = Strategy.AUTO
    task_memory_bytes: int = 4 * 2**30
    force: bool = False
