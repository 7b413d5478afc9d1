"""Items with behaviour that are similar to an item by content, and how much each counts."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from recsys.core.content_index import ALIKE_ITEMS, SHARPNESS
from recsys.core.model import NO_NEIGHBOUR
from recsys.core.ranking import Indices
from recsys.training.content.sparse_products import best_products, first_of_rows

# Of the items that have a feature, those with most shoppers are compared: they are who can teach
# most, and what a frequent feature costs does not grow with the square of the shop.
ITEMS_PER_FEATURE = 200


def alike_items(content: csr_matrix, compared: csr_matrix) -> csr_matrix:
    """The weights of the ALIKE_ITEMS items with behaviour most like each item, (n, n) float32.

    A row adds up to one, or has nothing where no item is alike. A weight is the cube of the cosine,
    before it is divided by the row's sum.

    Args:
        content: (n, f) of rows of length one.
        compared: (f, n) of the items with behaviour, see `most_bought`.
    """
    everything = np.ones(content.shape[0], np.bool_)
    items, cosines = best_products(content, compared, everything, ALIKE_ITEMS)
    weights = cosines**SHARPNESS
    sums = weights.sum(axis=1, keepdims=True)
    return list_matrix(items, np.divide(weights, sums, out=weights, where=sums > 0))


def popularity_of_alike(content: csr_matrix, shoppers: NDArray[np.integer]) -> NDArray[np.float32]:
    """Mean of the shoppers of alike items, (n,): how popular one might expect a new item to be."""
    return np.asarray(alike_items(content, most_bought(content, shoppers)) @ shoppers, np.float32)


def list_matrix(items: Indices, weights: NDArray[np.float32]) -> csr_matrix:
    """Lists (n, m) of item rows and their weights, as an (n, n) matrix; padding is left out."""
    present = items != NO_NEIGHBOUR
    indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))])
    return csr_matrix((weights[present], items[present], indptr), shape=(len(items), len(items)))


def most_bought(content: csr_matrix, shoppers: NDArray[np.integer]) -> csr_matrix:
    """(f, n): of each feature the ITEMS_PER_FEATURE items that most shoppers have."""
    known = diags((shoppers > 0).astype(np.float32))
    by_feature = (known @ content).T.tocsr()
    by_feature.eliminate_zeros()
    return first_of_rows(by_feature, shoppers[by_feature.indices], ITEMS_PER_FEATURE)
