"""Scaling policy: the number of replicas from how busy each is, by the rules of Kubernetes' HPA.

Source: "Algorithm details" in the documentation of the HorizontalPodAutoscaler, and
`calcPlainMetricReplicas` in its replica_calculator.go. The manifests in infra/k8s have the same
numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from infra.local.replicas import Service


@dataclass(frozen=True, slots=True)
class Policy:
    """When a service gets more or fewer replicas.

    Attributes:
        least, most: replicas, whatever the load.
        target: share of one core that each should be busy on average.
        tolerance: how far from the target, relative to it, nothing is done.
        shrink_after_seconds: fewer replicas must have been enough for so long.
    """

    least: int
    most: int
    target: float = 0.6
    tolerance: float = 0.1
    shrink_after_seconds: float = 60.0


POLICIES = {
    Service.RECOMMENDER: Policy(least=2, most=4),
    Service.INGEST: Policy(least=1, most=2),
    Service.GATEWAY: Policy(least=2, most=4),
}


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A past recommendation of the policy, with its time in seconds."""

    at_seconds: float
    replicas: int


def recommended(busy: Sequence[float | None], policy: Policy) -> int:
    """The replicas that would bring the average to the target.

    Args:
        busy: of each running replica, as a share of one core; None for one that did not say. It
            counts as idle where more replicas are asked for and as at target where fewer are, so
            that nothing is done that only a guess speaks for.
    """
    said = [one for one in busy if one is not None]
    if not said:
        return _within(len(busy), policy)
    ratio = _mean(said) / policy.target
    guess = 0.0 if ratio > 1 else policy.target
    careful = _mean([*said, *[guess] * (len(busy) - len(said))]) / policy.target
    turned = (ratio - 1) * (careful - 1) < 0
    if turned or abs(careful - 1) <= policy.tolerance:
        return _within(len(busy), policy)
    # Rounded against the noise of floats: 3 times 0.6 over 0.6 are not 4 replicas.
    return _within(math.ceil(round(careful * len(busy), 9)), policy)


def stabilized(running: int, history: Sequence[Recommendation], policy: Policy) -> int:
    """More replicas at once; fewer, only as few as were enough at any time of the last while.

    Args:
        history: the recommendations so far, the newest last; not empty.
    """
    newest = history[-1]
    since = newest.at_seconds - policy.shrink_after_seconds
    enough = max(each.replicas for each in history if each.at_seconds >= since)
    return max(newest.replicas, min(running, enough))


def _within(replicas: int, policy: Policy) -> int:
    return min(max(replicas, policy.least), policy.most)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
