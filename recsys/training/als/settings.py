"""What a training is asked to do."""

from dataclasses import dataclass
from enum import Enum

from recsys.core.errors import ConfigurationError


class Device(Enum):
    """Where to train: `auto` takes a GPU when there is one."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class AlsSettings:
    """Settings of one training; docs/decisions/0008-training.md says how they were chosen.

    Attributes:
        factors: length k of a factor.
        alpha: confidence that a strength of one adds, see `recsys.core.confidence`.
        regularization: see `recsys.core.regularization`.
        frequency_scaling: see `recsys.core.regularization`.
        iterations: passes over users and items.
        seed: of the first factors.
        device: where to train.

    Raises:
        ConfigurationError: naming the setting that makes no sense.
    """

    factors: int = 64
    alpha: float = 5.0
    regularization: float = 0.003
    frequency_scaling: float = 1.0
    iterations: int = 15
    seed: int = 1
    device: Device = Device.AUTO

    def __post_init__(self) -> None:
        for name, least, most in (
            ("factors", 1, 1023),
            ("alpha", 0, 1e6),
            ("regularization", 0, 1e3),
            ("frequency_scaling", 0, 2),
            ("iterations", 1, 10_000),
        ):
            if not least <= getattr(self, name) <= most:
                raise ConfigurationError(f"{name} must be between {least} and {most:g}")
