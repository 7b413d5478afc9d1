import pytest

from recsys.core.errors import GateRefused
from spark_jobs.nightly.gate import MIN_JUDGED_USERS, check_gate
from tests.builders import a_manifest, an_evaluation

CURRENT = a_manifest(evaluation=an_evaluation(0.10))


def test_a_better_model_passes() -> None:
    assert "passed" in check_gate(a_manifest(evaluation=an_evaluation(0.11)), CURRENT, 0.1)


def test_a_slightly_worse_model_passes() -> None:
    assert "passed" in check_gate(a_manifest(evaluation=an_evaluation(0.091)), CURRENT, 0.1)


def test_a_much_worse_model_is_refused() -> None:
    with pytest.raises(GateRefused, match="more than 10% below"):
        check_gate(a_manifest(evaluation=an_evaluation(0.089)), CURRENT, 0.1)


def test_a_model_that_does_not_beat_popularity_is_refused_even_as_the_first() -> None:
    with pytest.raises(GateRefused, match="popularity"):
        check_gate(a_manifest(evaluation=an_evaluation(0.04, popularity=0.04)), None, 0.1)


def test_with_too_few_judged_users_numbers_decide_nothing() -> None:
    chance = an_evaluation(0.0, users=MIN_JUDGED_USERS - 1)
    assert "unjudged" in check_gate(a_manifest(evaluation=chance), CURRENT, 0.1)


def test_a_model_that_was_never_judged_is_refused() -> None:
    with pytest.raises(GateRefused, match="recsys nightly evaluate"):
        check_gate(a_manifest(), CURRENT, 0.1)
