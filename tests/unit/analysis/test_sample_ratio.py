"""Groups of an experiment that are not of the sizes that their weights say."""

import numpy as np
import pytest

from recsys.analysis.sample_ratio import sample_ratio_mismatches
from recsys.core.experiment_report import ExperimentGroup, OutcomeCounts
from recsys.core.serving.experiments import Experiment, Variant


def an_experiment(**weights: float) -> Experiment:
    variants = tuple(Variant(name, weight) for name, weight in weights.items())
    return Experiment("mixed", "default", frozenset({"home"}), 0.0, 1.0, variants)


def outcomes(**users: int) -> list[OutcomeCounts]:
    return [
        OutcomeCounts("home", "mixed", name, count, *([0] * 4), 0.0)
        for name, count in users.items()
    ]


def test_groups_that_chance_would_hardly_make_are_told_with_what_was_expected() -> None:
    # (50^2 / 5000) * 2 = 1 is chance; 200 off the half is 16 by one degree: p = .00006.
    experiment = an_experiment(a=1, b=1)
    assert not sample_ratio_mismatches(outcomes(a=5050, b=4950), [experiment])

    [found] = sample_ratio_mismatches(outcomes(a=5200, b=4800), [experiment])

    assert (found.placement, found.experiment) == ("home", "mixed")
    assert found.groups == (
        ExperimentGroup("a", 5200, 5000.0),
        ExperimentGroup("b", 4800, 5000.0),
    )
    assert found.p_value == pytest.approx(6.33e-5, rel=0.01)


def test_a_variant_of_twice_the_weight_has_twice_the_shoppers() -> None:
    experiment = an_experiment(a=2, b=1)
    assert not sample_ratio_mismatches(outcomes(a=2010, b=990), [experiment])
    assert sample_ratio_mismatches(outcomes(a=1500, b=1500), [experiment])


def test_a_variant_that_nobody_was_shown_is_a_mismatch() -> None:
    [found] = sample_ratio_mismatches(outcomes(a=40), [an_experiment(a=1, b=1)])
    assert [each.users for each in found.groups] == [40, 0]


def test_few_shoppers_and_what_the_settings_do_not_name_tell_nothing() -> None:
    experiment = an_experiment(a=1, b=1)
    assert not sample_ratio_mismatches(outcomes(a=9), [experiment])
    assert not sample_ratio_mismatches([], [experiment])
    assert not sample_ratio_mismatches(outcomes(a=9000, b=100), [])
    assert not sample_ratio_mismatches(outcomes(old=9000), [experiment])


def test_groups_by_the_hash_of_user_ids_are_no_mismatch() -> None:
    experiment = an_experiment(a=1, b=3)
    for shop in ("one", "two", "three"):
        variants = [experiment.variant_of(shop, f"u{user}") for user in range(5000)]
        names, counts = np.unique([each.name for each in variants if each], return_counts=True)
        users = dict(zip(names.tolist(), counts.tolist(), strict=True))
        assert not sample_ratio_mismatches(outcomes(**users), [experiment])
