"""Implicit-feedback ALS (Hu, Koren, Volinsky, 2008) on one machine, on a GPU where there is one."""

import importlib.metadata
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError, FieldProblem, InvalidInput
from recsys.core.fold_in import Factors
from recsys.training.als.cuda_device import Gpu, find_gpu, gpu_versions
from recsys.training.als.gpu import check_size, train_on_gpu
from recsys.training.als.half_step import (
    PROJECTIONS,
    half_step,
    row_lambdas,
)
from recsys.training.als.settings import AlsSettings, Device, first_item_factors, resolved_alpha
from recsys.training.threads import available_threads

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained:
    """Factors and how they came about.

    Attributes:
        user_factors: (u, k) float32, solved against the final item factors, as fold-in does.
        item_factors: (n, k) float32.
        alpha: what was trained with, whether it was set or found.
        backend: whose code did the work.
    """

    user_factors: Factors
    item_factors: Factors
    alpha: float
    backend: str
    device: Device
    versions: dict[str, str]
    seconds: float


def train_als(
    strengths: csr_matrix,
    settings: AlsSettings,
    on_iteration: Callable[[int], None] = lambda _: None,
    threads: int | None = None,
) -> Trained:
    """Factorise a matrix of strengths.

    The same data, settings and seed give the same factors, whatever the number of threads.

    Args:
        strengths: (u, n) float32, positive where observed; all other pairs have confidence 1.
        on_iteration: called with the number of finished iterations.
        threads: on a CPU; as many as there are processors when left open.

    Raises:
        InvalidInput: when a strength is not a positive number, or there is none.
        ConfigurationError: when a GPU is demanded and there is none.
    """
    check_strengths(strengths)
    alpha = resolved_alpha(strengths, settings)
    started = time.perf_counter()
    gpu = _choose(strengths, settings)
    train = train_on_gpu if gpu else partial(_train_on_cpu, threads or available_threads())
    users, items = train(strengths, alpha, settings, on_iteration)
    return Trained(
        user_factors=users,
        item_factors=items,
        alpha=alpha,
        backend="implicit" if gpu else "numba",
        device=Device.GPU if gpu else Device.CPU,
        versions=gpu_versions(gpu) if gpu else _cpu_versions(),
        seconds=time.perf_counter() - started,
    )


def project_users(
    trained: Trained, strengths: csr_matrix, settings: AlsSettings, columns: int | None = None
) -> Trained:
    """The same items, with users as fold-in finds them from other strengths.

    Scores are those of the same items; only the basis of the factors may be another.

    Args:
        strengths: (u, n) float32, positive where observed.
        columns: how many items the lambdas of users count; n when left open.
    """
    lambdas = row_lambdas(strengths, trained.alpha, settings, columns)
    x, y = trained.user_factors, trained.item_factors
    for _ in range(PROJECTIONS):
        x, y = half_step(strengths, lambdas, trained.alpha, y, x, available_threads())
    return replace(trained, user_factors=x, item_factors=y)


def _choose(strengths: csr_matrix, settings: AlsSettings) -> Gpu | None:
    """The GPU to train on; None for the CPU."""
    if settings.device is Device.CPU:
        return None
    try:
        check_size(strengths.shape, settings.factors)
        return find_gpu()
    except ConfigurationError as reason:
        if settings.device is Device.GPU:
            raise
        _log.info("training on the CPU: %s", reason)
        return None


def _cpu_versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("numba", "numpy")}


def check_strengths(strengths: csr_matrix) -> None:
    """Refuse what no model can be made from.

    Raises:
        InvalidInput: when a strength is not a positive number, or there is none.
    """
    if not strengths.nnz:
        raise InvalidInput([FieldProblem("strengths", "must not be empty")])
    if not (np.isfinite(strengths.data) & (strengths.data > 0)).all():
        raise InvalidInput([FieldProblem("strengths", "must be finite and above zero")])


def _train_on_cpu(
    threads: int,
    strengths: csr_matrix,
    alpha: float,
    settings: AlsSettings,
    on_iteration: Callable[[int], None],
) -> tuple[Factors, Factors]:
    by_user, by_item = strengths.tocsr(), strengths.T.tocsr()
    user_lambdas = row_lambdas(by_user, alpha, settings)
    item_lambdas = row_lambdas(by_item, alpha, settings)
    users, items = strengths.shape
    x, y = np.zeros((users, settings.factors), np.float32), first_item_factors(items, settings)
    for iteration in range(settings.iterations):
        x, y = half_step(by_user, user_lambdas, alpha, y, x, threads)
        y, x = half_step(by_item, item_lambdas, alpha, x, y, threads)
        on_iteration(iteration + 1)
    for _ in range(PROJECTIONS):
        x, y = half_step(by_user, user_lambdas, alpha, y, x, threads)
    return x, y


# Factorises a matrix (u, n), and tells the number of finished iterations: see `train_als`.
Fit = Callable[[csr_matrix, AlsSettings, Callable[[int], None]], Trained]


def fit_known(
    fit: Fit, strengths: csr_matrix, settings: AlsSettings, on_iteration: Callable[[int], None]
) -> Trained:
    """Factorise what is left of a (u, n) matrix without empty rows and columns.

    A shop's catalogue may have ten times the items that anybody ever wanted. As rows of zeros they
    would make the matrix look sparser than the shop is, and alpha and the lambdas, which follow its
    size, would be those of another shop.

    Returns:
        Factors of all u users and n items, zeros for those without behaviour.
    """
    users, items = strengths.getnnz(axis=1) > 0, strengths.getnnz(axis=0) > 0
    trained = fit(_without_empty(strengths, users, items), settings, on_iteration)
    return replace(
        trained,
        user_factors=_among_zeros(trained.user_factors, users),
        item_factors=_among_zeros(trained.item_factors, items),
    )


def _without_empty(
    strengths: csr_matrix, users: NDArray[np.bool_], items: NDArray[np.bool_]
) -> csr_matrix:
    if users.all() and items.all():
        return strengths
    indptr = np.concatenate([strengths.indptr[:1], strengths.indptr[1:][users]])
    columns = (np.cumsum(items, dtype=strengths.indices.dtype) - 1)[strengths.indices]
    return csr_matrix((strengths.data, columns, indptr), (int(users.sum()), int(items.sum())))


def _among_zeros(factors: Factors, known: NDArray[np.bool_]) -> Factors:
    if known.all():
        return factors
    whole = np.zeros((len(known), factors.shape[1]), np.float32)
    whole[known] = factors
    return whole
