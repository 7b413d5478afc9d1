"""Settings of ALS, and what a training begins with by them: alpha and the first factors."""

from dataclasses import dataclass
from enum import Enum
from numbers import Integral

import numpy as np
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.core.fold_in import Factors

# Chosen on validation parts of four shops and a film site, of densities from 0.1 to 3.5 percent.
_ALPHA_SCALE = 0.5
# Spread of the first factors: scores begin near zero, where unobserved pairs belong.
_FIRST_SPREAD = 0.1


class Device(Enum):
    """Device to train on: `auto` takes a GPU when there is one."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class AlsSettings:
    """Settings of one training; docs/decisions/0008-training.md says how they were chosen.

    Attributes:
        factors: length k of a factor.
        alpha: confidence that a strength of one adds, see `recsys.core.fold_in.confidence`; None
            sets it from the data, see `resolved_alpha`.
        alpha_scale: what the alpha that is set from the data is multiplied by.
        regularization: see `recsys.core.fold_in.row_regularization`.
        frequency_weight: see `recsys.core.fold_in.row_regularization`.
        iterations: passes over users and items.
        seed: of the first factors.
        device: where to train, or its name.

    Raises:
        ConfigurationError: naming the setting that makes no sense.
    """

    factors: int = 128
    alpha: float | None = None
    alpha_scale: float = 1.0
    regularization: float = 0.01
    frequency_weight: float = 1.0
    iterations: int = 15
    seed: int = 1
    device: Device = Device.AUTO

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", _device_of(self.device))
        refuse_fractions(self, "factors", "iterations", "seed")
        refuse_out_of_range(
            self,
            factors=(1, 1023),
            alpha=(0, 1e6),
            alpha_scale=(1e-3, 1e3),
            regularization=(0, 1e3),
            frequency_weight=(0, 1e6),
            iterations=(1, 10_000),
            seed=(0, 2**63 - 1),
        )


def _device_of(name: Device | str) -> Device:
    """The device, which a notebook may give as text; text that were kept would equal none."""
    try:
        return Device(name)
    except ValueError:
        known = ", ".join(device.value for device in Device)
        raise ConfigurationError(f"device {name!r} is none of: {known}") from None


def refuse_fractions(settings: object, *names: str) -> None:
    """Refuse settings that are no whole numbers.

    Raises:
        ConfigurationError: naming the first.
    """
    for name in names:
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise ConfigurationError(f"{name} must be a whole number, and is {value!r}")


def refuse_out_of_range(settings: object, **limits: tuple[float, float]) -> None:
    """Compare settings with the least and the most that they may be; None is left open.

    Raises:
        ConfigurationError: naming the first that is outside.
    """
    for name, (least, most) in limits.items():
        value = getattr(settings, name)
        if value is not None and not least <= value <= most:
            raise ConfigurationError(f"{name} must be between {least} and {most:g}")


def resolved_alpha(strengths: csr_matrix, settings: AlsSettings) -> float:
    """The alpha to train with: the one that is set, or one that follows the data."""
    total = float(strengths.data.sum(dtype=np.float64))
    return alpha_for(settings, strengths.shape, strengths.nnz, total)


def alpha_for(
    settings: AlsSettings, shape: tuple[int, int], pairs: int, strength_sum: float
) -> float:
    """`resolved_alpha` of a matrix of so many users and items, pairs above zero, and their sum.

    The sparser a shop, the more an observed pair must stand out against the many unobserved ones;
    and multiplying all event weights by a number should not change the model. Hence
    alpha = 0.5 / sqrt(density) / mean strength.
    """
    if settings.alpha is not None:
        return settings.alpha
    density = pairs / shape[0] / shape[1]
    fitting = _ALPHA_SCALE / np.sqrt(density) / (strength_sum / pairs)
    return float(settings.alpha_scale * fitting)


def first_item_factors(items: int, settings: AlsSettings) -> Factors:
    """The first factors of the items, (items, k) float32, the same on every device.

    Users begin at zero.
    """
    random = np.random.default_rng(settings.seed)
    spread = np.float32(_FIRST_SPREAD / np.sqrt(settings.factors))
    return random.standard_normal((items, settings.factors), dtype=np.float32) * spread
