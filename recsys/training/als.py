"""Implicit-feedback ALS (Hu, Koren, Volinsky 2008) by `implicit`, on a GPU where there is one."""

import importlib.metadata
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import implicit.gpu
import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from recsys.core.confidence import confidence
from recsys.core.errors import ConfigurationError
from recsys.core.fold_in import Factors


class Device(Enum):
    """Where to train: `auto` takes a GPU when there is one."""

    AUTO = "auto"
    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True)
class AlsSettings:
    """Settings of one training; docs/decisions/0006-first-model.md says how they were chosen.

    Attributes:
        factors: length k of a factor.
        alpha: confidence that a strength of one adds, see `recsys.core.confidence`.
        regularization: lambda over sqrt(users * items), so that it suits shops of any size.
        neighbour_weight: see `recsys.core.scoring`.
        iterations: passes over users and items.
        seed: of the first factors.

    Raises:
        ConfigurationError: naming the setting that makes no sense.
    """

    factors: int = 64
    alpha: float = 5.0
    regularization: float = 0.01
    neighbour_weight: float = 1.0
    iterations: int = 15
    seed: int = 1
    device: Device = Device.AUTO

    def __post_init__(self) -> None:
        for name, least, most in (
            ("factors", 1, 1024),
            ("alpha", 0, 1e6),
            ("regularization", 0, 1e3),
            ("neighbour_weight", 0, 1e3),
            ("iterations", 1, 10_000),
        ):
            if not least <= getattr(self, name) <= most:
                raise ConfigurationError(f"{name} must be between {least} and {most:g}")

    def row_regularization(self, users: int, items: int) -> float:
        """The lambda of every row's system, on the users' side as on the items'.

        The unobserved pairs of a row weigh as much as there are columns, and lambda must keep up
        (Rendle et al., "Revisiting the Performance of iALS", 2021, scale each row's own); the
        library takes one lambda for all rows of both sides.
        """
        return self.regularization * math.sqrt(users * items)


@dataclass(frozen=True)
class Trained:
    """Factors and how they came about: user_factors (u, k), item_factors (n, k), both float32."""

    user_factors: Factors
    item_factors: Factors
    device: Device
    versions: dict[str, str]
    seconds: float


def train_als(
    strengths: csr_matrix,
    settings: AlsSettings,
    on_iteration: Callable[[int], None] = lambda _: None,
) -> Trained:
    """Factorise a matrix of strengths.

    Args:
        strengths: (u, n) float32, positive where observed; all other pairs have confidence 1.
        on_iteration: called with the number of finished iterations.

    Raises:
        ConfigurationError: when a GPU is demanded and there is none.
    """
    device = _choose(settings.device)
    confidences = strengths.copy()
    confidences.data = confidence(strengths.data, settings.alpha)
    started = time.perf_counter()
    # implicit runs its own threads; BLAS threads beneath them only fight.
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=settings.factors,
            regularization=settings.row_regularization(*strengths.shape),
            # The values are confidences already; implicit's GPU code would ignore another alpha.
            alpha=1.0,
            iterations=settings.iterations,
            random_state=settings.seed,
            use_gpu=device is Device.GPU,
        )
        model.fit(
            confidences,
            show_progress=False,
            callback=lambda iteration, *_: on_iteration(iteration + 1),
        )
    fitted = model.to_cpu() if device is Device.GPU else model
    return Trained(
        user_factors=np.ascontiguousarray(fitted.user_factors, dtype=np.float32),
        item_factors=np.ascontiguousarray(fitted.item_factors, dtype=np.float32),
        device=device,
        versions={name: importlib.metadata.version(name) for name in ("implicit", "numpy")},
        seconds=time.perf_counter() - started,
    )


def _choose(wanted: Device) -> Device:
    if wanted is Device.AUTO:
        return Device.GPU if implicit.gpu.HAS_CUDA else Device.CPU
    if wanted is Device.GPU and not implicit.gpu.HAS_CUDA:
        raise ConfigurationError(
            "device gpu: implicit finds no usable CUDA device; use auto or cpu"
        )
    return wanted
