"""Popularity: the baseline every model must beat, and the answer for a shopper nobody knows."""

import numpy as np

from recsys.core.ranking import Indices
from recsys.training.pairs import Pairs


def popular_items(pairs: Pairs) -> Indices:
    """All item rows, most popular first, equal ones by row.

    Popularity is the sum over users of min(1, recent strength): how many people want it now, so
    that one wholesaler's hundred orders count as one shopper.
    """
    voices = np.minimum(pairs.recent_strengths, 1.0)
    popularity = np.bincount(pairs.item_indices, weights=voices, minlength=len(pairs.items))
    return np.argsort(-popularity, kind="stable").astype(np.int32)
