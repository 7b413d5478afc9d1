"""Experiments: the variant of a placement that a shopper sees.

Nothing is kept of who sees what: hashes of the user's id say it, the same on every machine and
after every restart. A layer is the range [0, 1), of which each of its experiments has a part of its
own: so nobody is in two of one layer, and layers know nothing of each other. A second hash, by the
name of the experiment, chooses the variant: no experiment inherits the groups of the one before.
(Tang et al., "Overlapping Experiment Infrastructure", KDD 2010.)
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from recsys.core.serving.placement import Placement

# Of the digest: a range of a millionth still has thousands of values.
_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the ways that an experiment compares.

    Attributes:
        weight: positive; its share is this by the sum of all weights.
        placements: those that it changes, by their names, as they are in it.
    """

    name: str
    weight: float
    placements: Mapping[str, Placement] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """A comparison of variants among a part of the shoppers.

    Attributes:
        placements: names of those that it is about; variants change no others.
        start, end: its part of the layer, from 0 to 1, the end not included.
        variants: the first of them is what others are compared with.
        is_running: false for one that was stopped; it keeps its part of the layer.
    """

    name: str
    layer: str
    placements: frozenset[str]
    start: float
    end: float
    variants: tuple[Variant, ...]
    is_running: bool = True

    def variant_of(self, tenant: str, user_id: str) -> Variant | None:
        """The variant of a user; None for one who does not take part."""
        if not self.start <= _position(tenant, "layer", self.layer, user_id) < self.end:
            return None
        ends = list(accumulate(variant.weight for variant in self.variants))
        place = _position(tenant, "experiment", self.name, user_id) * ends[-1]
        inside = (each for each, end in zip(self.variants, ends, strict=True) if place < end)
        # A sum of weights that are no powers of two may round to just below the place.
        return next(inside, self.variants[-1])


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a user sees in an experiment."""

    experiment: str
    variant: Variant


def assignment(
    experiments: Iterable[Experiment], tenant: str, placement: str, user_id: str
) -> Assignment | None:
    """The part that a user has in the experiments about a placement.

    There is at most one: experiments about one placement are of one layer.
    """
    for experiment in experiments:
        if experiment.is_running and placement in experiment.placements:
            variant = experiment.variant_of(tenant, user_id)
            if variant is not None:
                return Assignment(experiment.name, variant)
    return None


def _position(tenant: str, kind: str, name: str, user_id: str) -> float:
    """A number of [0, 1) that looks like chance, and is the same for the same texts."""
    # No id and no name has the separator.
    text = "\0".join((tenant, kind, name, user_id)).encode()
    digest = hashlib.blake2b(text, digest_size=_HASH_BYTES).digest()
    # 53 bits, as many as a float has.
    return (int.from_bytes(digest) >> 11) / 2**53
