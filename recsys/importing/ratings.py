"""Ratings of a file, by the scale of each row's event type."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recsys.core.event_types import EventTypes, scale_problem
from recsys.importing.column_values import Ids, Numbers, Problems


class Ratings(NamedTuple):
    """(n,) ratings of a column, NaN where there is none.

    Attributes:
        problems: why not, by place, of rows whose type counts ratings: a missing one would mean
            something else.
        left_out: likewise, of rows whose type has a scale but does not count them.
        without_scale: how many rows have one although their type has none.
    """

    values: NDArray[np.float64]
    problems: Problems
    left_out: Problems
    without_scale: int


def on_scale(found: Numbers, types: Ids, event_types: EventTypes) -> Ratings:
    """Keep the ratings that are on their type's scale."""
    known = [event_types[name].rating_scale for name in types.names]
    # The last one is that of rows without a type, whose code is -1.
    scales = np.array([scale or (np.nan, np.nan) for scale in [*known, None]])[types.codes]
    has_scale = ~np.isnan(scales[:, 0])
    problems = {place: why for place, why in found.problems.items() if has_scale[place]}
    with np.errstate(invalid="ignore"):
        outside = (found.values < scales[:, 0]) | (found.values > scales[:, 1])
    for place in np.flatnonzero(outside).tolist():
        problems[place] = scale_problem((scales[place, 0], scales[place, 1]))
    counting = np.array([*(event_types[name].rating_counts for name in types.names), False])
    counts = counting[types.codes]
    is_there = ~np.isnan(found.values)
    is_there[list(found.problems)] = True
    return Ratings(
        values=np.where(has_scale & ~outside, found.values, np.nan),
        problems={place: why for place, why in problems.items() if counts[place]},
        left_out={place: why for place, why in problems.items() if not counts[place]},
        without_scale=int((is_there & ~has_scale & (types.codes >= 0)).sum()),
    )
