"""The result of an evaluation; `result_json` and `result_table` write it down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recsys.config.shop import Shop
from recsys.evaluation.data import EvaluationData, Mask
from recsys.evaluation.model_results import ModelResult
from recsys.evaluation.report import Report
from recsys.training.settings import ModelSettings


@dataclass(frozen=True)
class FitSummary:
    """Summary of a search for settings: see `recsys.tuning.Fitted`.

    Attributes:
        trials: stage, NDCG@20 on the validation part and settings of each.
    """

    trials: tuple[tuple[str, float, ModelSettings], ...]
    ndcg: float
    start_ndcg: float
    seconds: float


@dataclass(frozen=True)
class TrainingBackend:
    """Backend that trained the model, and the alpha it found where none was set."""

    name: str
    device: str
    alpha: float
    versions: dict[str, str]


@dataclass(frozen=True)
class EvaluationInput:
    """Data as read for an evaluation.

    Attributes:
        split: how training and test came about, for the record.
        rows: events of "train" and "test".
        left_out: rows without user or item, likewise.
        seconds: wall-clock, of reading and pairing up.
    """

    data: EvaluationData
    split: Mapping[str, Any]
    rows: Mapping[str, int]
    left_out: Mapping[str, int]
    seconds: float


@dataclass
class EvaluationResult:
    """All results; baselines and ablations come in one after the other.

    Attributes:
        cold_users: how users without behaviour are answered.
        new_items: rankings of items without behaviour alone, by name: see
            `recsys.evaluation.cold_items`. Empty where no content is known, or nobody wanted one.
        ablations: the model with parts of its score turned off, by name.
        peak_memory_mib: of the process, up to the evaluated model.
    """

    source: EvaluationInput
    settings: ModelSettings
    fitted: FitSummary | None
    shop: Shop
    mask: Mask
    backend: TrainingBackend
    model: ModelResult
    cold_users: Report
    peak_memory_mib: float
    new_items: Mapping[str, Report] = field(default_factory=dict)
    baselines: dict[str, ModelResult] = field(default_factory=dict)
    ablations: dict[str, ModelResult] = field(default_factory=dict)
