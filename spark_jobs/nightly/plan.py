"""Plan of a nightly run."""

from dataclasses import dataclass, field
from enum import Enum

from recsys.config.shop import Shop
from recsys.training.settings import ModelSettings
from recsys.tuning import FitEffort
from spark_jobs.distributed.choose import StrategyName
from spark_jobs.nightly.run_folder import Window

# Enough users come back within four weeks, and four weeks hardly age a model.
DEFAULT_HOLDOUT_DAYS = 28.0


class Strategy(Enum):
    """Strategy of training; AUTO goes by the size of the data."""

    AUTO = "auto"
    SINGLE = StrategyName.SINGLE.value
    DATA_PARALLEL = StrategyName.DATA_PARALLEL.value
    MODEL_PARALLEL = StrategyName.MODEL_PARALLEL.value


class FitStrategy(Enum):
    """Strategy of a search for settings; AUTO goes by the cluster and the data."""

    AUTO = "auto"
    SINGLE = StrategyName.SINGLE.value
    COMPUTE_PARALLEL = StrategyName.COMPUTE_PARALLEL.value
    HYBRID = StrategyName.HYBRID.value


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
        model: the settings to train with, or where the search for them begins.
        effort: how much is tried to find settings.
        holdout_days: the newest days are held out to judge the model by; None for as many as the
            serving version was judged by, so that both can be compared.
        strategy: who trains, the driver or the executors; it does not change the model.
        fit_strategy: the same for the search for settings.
        task_memory_bytes: what the Python process of a Spark task may take.
        full: read all behaviour from HBase, whatever there is of the last night.
        force: train and publish also when nothing changed or the gate refuses.
    """

    tenant: str
    window: Window
    shop: Shop
    model: ModelSettings = field(default_factory=ModelSettings)
    effort: FitEffort = FitEffort.QUICK
    holdout_days: float | None = None
    strategy: Strategy = Strategy.AUTO
    fit_strategy: FitStrategy = FitStrategy.AUTO
    task_memory_bytes: int = 4 * 2**30
    full: bool = False
    force: bool = False
