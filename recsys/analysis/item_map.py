"""A map of the items: what the factors say is alike lies close together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsys.core.fold_in import Factors


@dataclass(frozen=True)
class ItemMap:
    """Items in the plane.

    Attributes:
        places: (n, 2) on the first two principal axes.
        explained: (k,), but two at least: share of the variance that lies along each axis, largest
            first.
    """

    places: NDArray[np.float64]
    explained: NDArray[np.float64]


def item_map(factors: Factors) -> ItemMap:
    """Principal component analysis by a singular value decomposition.

    Factors are brought to length one first: length tells how much is known of an item, direction
    tells taste. Each axis points to where its largest coordinate is positive, so that the same
    factors always make the same map.

    Args:
        factors: (n, k), at least two items, no row all zeros. Of one factor the second axis is
            empty.
    """
    precise = np.pad(factors.astype(np.float64), ((0, 0), (0, max(0, 2 - factors.shape[1]))))
    unit = precise / np.linalg.norm(precise, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    places = centred @ axes[:2].T
    places *= np.sign(places[np.abs(places).argmax(axis=0), [0, 1]])
    variances = singular**2
    # Items that all point the same way do not vary.
    return ItemMap(places, variances / (variances.sum() or 1.0))


def with_room(
    places: NDArray[np.float64], candidates: NDArray[np.integer], box: tuple[float, float]
) -> list[int]:
    """Those candidates whose labels overlap none of those before them.

    Args:
        places: (items, 2), the middles of the labels.
        candidates: item rows, the most important first.
        box: width and height of a label, as shares of what the map spans.
    """
    size = np.array(box) * np.ptp(places, axis=0)
    chosen: list[int] = []
    for candidate in candidates.tolist():
        apart = np.abs(places[chosen] - places[candidate]) >= size
        if apart.any(axis=1).all():
            chosen.append(candidate)
    return chosen
