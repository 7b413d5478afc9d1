"""Ablation: a built model with parts of its score turned off, without retraining."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from recsys.training.build import BuiltModel


@dataclass(frozen=True)
class Part:
    """A part of the score of `recsys.core.scoring`.

    Attributes:
        turned_off: the model without it.
        is_term: whether it adds to the score, and so can rank by itself.
    """

    name: str
    turned_off: Callable[[BuiltModel], BuiltModel]
    is_term: bool = True


def _without_factors(built: BuiltModel) -> BuiltModel:
    # Those of users: an item without factors may not be recommended at all.
    zeros = np.zeros_like(built.users.factors)
    return replace(built, users=replace(built.users, factors=zeros))


def _without_neighbours(built: BuiltModel) -> BuiltModel:
    return replace(built, neighbour_weight=0.0)


def _without_order(built: BuiltModel) -> BuiltModel:
    """Without followers, and as if all had been done at one moment.

    The users' factors stay those of faded histories: others would need another half-step.
    """
    items = built.items
    plain = items.neighbour_scores * (1 - items.order_shares.astype(np.float32))
    steps = np.zeros_like(built.users.histories.steps)
    histories = replace(built.users.histories, steps=steps)
    return replace(
        built,
        items=replace(items, neighbour_scores=plain),
        users=replace(built.users, histories=histories),
    )


def _without_trend(built: BuiltModel) -> BuiltModel:
    ones = np.ones_like(built.items.trend)
    return replace(built, items=replace(built.items, trend=ones))


# A new part of the score is one more line.
PARTS = (
    Part("factors", _without_factors),
    Part("neighbours", _without_neighbours),
    Part("order", _without_order, is_term=False),
    Part("trend", _without_trend, is_term=False),
)


def ablations(
    built: BuiltModel, parts: tuple[Part, ...] = PARTS
) -> Iterator[tuple[str, BuiltModel]]:
    """The model with each term alone, then with each part off, one after the other."""
    for part in parts:
        if part.is_term:
            alone = built
            for other in parts:
                alone = alone if other is part else other.turned_off(alone)
            yield f"{part.name} only", alone
    for part in parts:
        yield f"{part.name} off", part.turned_off(built)
