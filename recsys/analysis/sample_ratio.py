"""Sample ratio mismatch: variants with other shares of the shoppers than their weights say.

Groups that are not of the size that chance would make them have lost shoppers, or gained some, by
the variant itself: a page that fails, impressions that are not sent. What is left is no random part
of all, and no difference between the groups can be trusted (Fabijan et al., "Diagnosing Sample
Ratio Mismatch in Online Controlled Experiments", KDD 2019).
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from scipy.stats import chisquare

from recsys.core.experiment_report import ExperimentGroup, OutcomeCounts, SampleRatioMismatch
from recsys.core.serving.experiments import Experiment

# Looked at by every report, of every placement: one of a thousand such reports is a false alarm.
MAX_P_VALUE = 0.001
# With fewer expected in a group the test's distribution is not that of chance.
_MIN_EXPECTED = 5.0


def sample_ratio_mismatches(
    outcomes: Sequence[OutcomeCounts], experiments: Iterable[Experiment]
) -> list[SampleRatioMismatch]:
    """Test the groups of each placement by chi-squared; experiments in the order given.

    A variant that is in no outcome has no users; outcomes of what the settings do not name are not
    looked at.
    """
    found = []
    for experiment in experiments:
        for placement in sorted(experiment.placements):
            seen = {
                each.variant: each.users
                for each in outcomes
                if (each.placement, each.experiment) == (placement, experiment.name)
            }
            if mismatch := _mismatch(placement, experiment, seen):
                found.append(mismatch)
    return found


def _mismatch(
    placement: str, experiment: Experiment, seen: Mapping[str, int]
) -> SampleRatioMismatch | None:
    names = [each.name for each in experiment.variants]
    weights = np.array([each.weight for each in experiment.variants])
    users = np.array([seen.get(name, 0) for name in names])
    expected = users.sum() * weights / weights.sum()
    if expected.min() < _MIN_EXPECTED:
        return None
    p_value = float(chisquare(users, expected).pvalue)
    if p_value >= MAX_P_VALUE:
        return None
    groups = zip(names, users.tolist(), expected.tolist(), strict=True)
    return SampleRatioMismatch(
        placement, experiment.name, p_value, tuple(ExperimentGroup(*each) for each in groups)
    )
