"""Blend of what a model knows of items by behaviour and what their content predicts.

An item with n shoppers has (n * behaviour + c * content) / (n + c): a new one is what its content
predicts, and with each shopper more it becomes what shoppers make of it. What nobody wanted counts
as much as its chance to sell, see `expected_sales`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recsys.core.content_index import ContentIndex
from recsys.core.fold_in import Factors
from recsys.core.vocabulary import Vocabulary
from recsys.training.content.alike import alike_items, most_bought
from recsys.training.content.expected_sales import chances_to_sell
from recsys.training.content.features import ContentFeatures
from recsys.training.content.item_content import ItemContent
from recsys.training.content.regression import FittedLambda, find_lambda, ridge
from recsys.training.content.smoothed_neighbours import smoothed_neighbours
from recsys.training.neighbours import NeighbourLists

# How many shoppers tell as much of an item as its content does, c above.
CONTENT_SHOPPERS = 10.0


@dataclass(frozen=True)
class WithContent:
    """The parts of an item model that content changes, of n items.

    Attributes:
        factors: (n, k) float32.
        neighbours: m of each item.
        index: for items that come later; None where content does not foresee factors.
        fitted: how well content predicts the factors of held-out items; None where too few items
            have behaviour to tell.
    """

    factors: Factors
    neighbours: NeighbourLists
    index: ContentIndex | None
    fitted: FittedLambda | None


def with_content(
    content: ItemContent,
    shoppers: NDArray[np.integer],
    factors: Factors,
    neighbours: NeighbourLists,
    found_lately: NDArray[np.bool_],
    eligible: NDArray[np.bool_],
    seed: int,
) -> WithContent:
    """Blend factors and neighbours of n items with those their content predicts.

    Where content does not foresee the factors of held-out items, all keep theirs, and so does an
    item without any content.

    Args:
        content: of the n items, in the order of their rows.
        shoppers: (n,) how many shoppers have each item.
        factors: (n, k) float32, trained; zero where an item has no behaviour.
        neighbours: m of each item, scores zero or above.
        found_lately: (n,) bool, see `recsys.training.interactions`.
        eligible: (n,) bool, the items that may be neighbours.
        seed: of the draw of held-out items.
    """
    features, trust = ContentFeatures.of(content), CONTENT_SHOPPERS / (shoppers + CONTENT_SHOPPERS)
    matrix, index = features.matrix, None
    chances = chances_to_sell(shoppers, found_lately, eligible, content.is_new)
    predicted, fitted = _predicted_factors(matrix, shoppers > 0, factors, seed)
    compared = most_bought(matrix, shoppers)
    alike = alike_items(matrix, compared)
    lists = smoothed_neighbours(
        neighbours.items, neighbours.scores, alike, _where_any(alike, trust), chances, eligible
    )
    if predicted is not None:
        factors = blended(factors, predicted, _where_any(matrix, trust)) * chances[:, np.newaxis]
        index = content_index(features, compared)
    return WithContent(factors, NeighbourLists(*lists), index, fitted)


def _predicted_factors(
    matrix: csr_matrix, known: NDArray[np.bool_], factors: Factors, seed: int
) -> tuple[Factors | None, FittedLambda | None]:
    """The factors (n, k) that content predicts, None where it cannot, and how well it does."""
    fitted = find_lambda(matrix[known], factors[known], seed)
    if fitted is None or fitted.r_squared <= 0:
        return None, fitted
    return matrix @ ridge(matrix[known], factors[known], fitted.value), fitted


def _where_any(matrix: csr_matrix, trust: NDArray[np.floating]) -> NDArray[np.float32]:
    """The trust in content, (n,), zero where a row of the matrix has nothing to go by."""
    return np.where(matrix.getnnz(axis=1) > 0, trust, 0).astype(np.float32)


def blended(behaviour: Factors, content: Factors, trust: NDArray[np.float32]) -> Factors:
    """(1 - trust) * behaviour + trust * content, row by row, (n, k) float32."""
    share = trust[:, np.newaxis]
    return np.asarray((1 - share) * behaviour + share * content, np.float32)


def content_index(features: ContentFeatures, compared: csr_matrix) -> ContentIndex:
    """Index the items that others are compared with, by which later ones are known at once.

    Args:
        compared: (f, n), see `recsys.training.content.alike.most_bought`.
    """
    return ContentIndex(
        names=Vocabulary(features.names()),
        weights=features.weights,
        indptr=compared.indptr.astype(np.int64),
        items=compared.indices.astype(np.int32),
        scales=features.scales,
        levels=features.levels,
    )
