"""What a report says beside its numbers."""

from recsys.analysis.made_up_experiment import made_up_shoppers, outcome_of
from recsys.analysis.sample_ratio import sample_ratio_mismatches
from recsys.core.serving.experiments import Experiment, Variant
from spark_jobs.report import tell_mismatches


def test_groups_of_other_sizes_than_asked_for_are_told() -> None:
    variants = (Variant("a", 1.0), Variant("b", 1.0))
    experiment = Experiment("mixed", "default", frozenset({"home"}), 0.0, 1.0, variants)
    outcomes = [
        outcome_of(made_up_shoppers(users, 0.1, seed=1), "home", "mixed", name)
        for name, users in (("a", 1200), ("b", 1000))
    ]
    said: list[str] = []

    tell_mismatches(sample_ratio_mismatches(outcomes, [experiment]), said.append)

    [line] = said
    assert "mismatch in mixed at home: users of a 1,200 (expected 1,100), b 1,000" in line
