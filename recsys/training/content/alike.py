"""Which items with behaviour are like an item by their content, and how much each counts."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.model import NO_NEIGHBOUR
from recsys.core.ranking import Indices
from recsys.training.content.sparse_products import best_products

ALIKE_ITEMS = 50
# What nearly equals an item says far more about it than fifty that share its category.
_SHARPNESS = 3
# Of the items that have a feature, those with most shoppers are compared: they are who can teach
# most, and what a frequent feature costs does not grow with the square of the shop.
ITEMS_PER_FEATURE = 1000


def alike_items(content: csr_matrix, shoppers: NDArray[np.integer]) -> csr_matrix:
    """The weights of the ALIKE_ITEMS items with behaviour most like each item, (n, n) float32.

    A row adds up to one, or has nothing where no item is alike. A weight is the cube of the cosine,
    before it is divided by the row's sum.

    Args:
        content: (n, f) of rows of length one.
        shoppers: (n,) how many have each item.
    """
    compared = _most_bought(content, shoppers)
    everything = np.ones(len(shoppers), np.bool_)
    items, cosines = best_products(content, compared, everything, ALIKE_ITEMS)
    weights = cosines**_SHARPNESS
    sums = weights.sum(axis=1, keepdims=True)
    return list_matrix(items, np.divide(weights, sums, out=weights, where=sums > 0))


def popularity_of_alike(content: csr_matrix, shoppers: NDArray[np.integer]) -> NDArray[np.float32]:
    """Mean of the shoppers of alike items, (n,): how popular one might expect a new item to be."""
    return np.asarray(alike_items(content, shoppers) @ shoppers, np.float32)


def list_matrix(items: Indices, weights: NDArray[np.float32]) -> csr_matrix:
    """Lists (n, m) of item rows and their weights, as an (n, n) matrix; padding is left out."""
    present = items != NO_NEIGHBOUR
    indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    return csr_matrix((weights[present], items[present], indptr), shape=(len(items), len(items)))


def _most_bought(content: csr_matrix, shoppers: NDArray[np.integer]) -> csr_matrix:
    """(f, n): of each feature the ITEMS_PER_FEATURE items that most shoppers have."""
    by_feature = content.T.tocsr()
    features = np.repeat(np.arange(by_feature.shape[0]), np.diff(by_feature.indptr))
    order = np.lexsort((by_feature.indices, -shoppers[by_feature.indices], features))
    ranks = np.arange(len(order)) - by_feature.indptr[features]
    kept = order[(ranks < ITEMS_PER_FEATURE) & (shoppers[by_feature.indices[order]] > 0)]
    entries = by_feature.data[kept], (features[kept], by_feature.indices[kept])
    return csr_matrix(entries, shape=by_feature.shape)
