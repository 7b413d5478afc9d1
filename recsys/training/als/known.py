"""Factorisation of the users and items with behaviour, whoever and whatever else there is.

A shop's catalogue may have ten times the items that anybody ever wanted. As rows of zeros they
would make the matrix look sparser than the shop is, and alpha and the lambdas, which follow its
size, would be those of another shop.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.fold_in import Factors
from recsys.training.als.settings import AlsSettings
from recsys.training.als.train import Trained

# Factorises a matrix (u, n), and tells the number of finished iterations: see `train_als`.
Fit = Callable[[csr_matrix, AlsSettings, Callable[[int], None]], Trained]


def fit_known(
    fit: Fit, strengths: csr_matrix, settings: AlsSettings, on_iteration: Callable[[int], None]
) -> Trained:
    """Factorise what is left of a (u, n) matrix without empty rows and columns.

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
