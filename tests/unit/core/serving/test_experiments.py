"""Who sees which variant: stable, exact enough, and never two of one layer."""

import subprocess
import sys

import pytest

from recsys.core.serving.experiments import Assignment, Experiment, Variant, assignment
from recsys.core.serving.placement import Placement

USERS = [f"user {n}" for n in range(100_000)]
HALVES = (Variant("control", 1.0), Variant("other", 1.0))


def an_experiment(
    name: str = "test",
    start: float = 0.0,
    end: float = 1.0,
    layer: str = "default",
    variants: tuple[Variant, ...] = HALVES,
    is_running: bool = True,
) -> Experiment:
    return Experiment(name, layer, frozenset({"home"}), start, end, variants, is_running)


def counts(experiment: Experiment) -> dict[str | None, int]:
    found: dict[str | None, int] = {}
    for user_id in USERS:
        variant = experiment.variant_of("shop", user_id)
        name = variant.name if variant else None
        found[name] = found.get(name, 0) + 1
    return found


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.9, 0.1), (1.0, 2.0, 3.0)])
def test_shares_are_within_one_percent_of_their_targets_over_100_000_users(
    weights: tuple[float, ...],
) -> None:
    variants = tuple(Variant(f"v{n}", weight) for n, weight in enumerate(weights))
    found = counts(an_experiment(variants=variants))
    for variant in variants:
        target = variant.weight / sum(weights)
        assert abs(found[variant.name] / len(USERS) - target) < 0.01


def test_a_part_of_the_shoppers_takes_part() -> None:
    found = counts(an_experiment(start=0.3, end=0.5))
    assert abs(found[None] / len(USERS) - 0.8) < 0.01
    assert abs(found["control"] / len(USERS) - 0.1) < 0.01


def test_a_shopper_sees_the_same_in_every_process() -> None:
    """Python's own hash of a text is another one in every process."""
    code = (
        "from tests.unit.core.serving.test_experiments import USERS, an_experiment\n"
        "print([an_experiment().variant_of('shop', user).name for user in USERS[:50]])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = [variant.name for user in USERS[:50] if (variant := variant_of(user))]
    assert done.stdout.strip() == str(here)
    # Of all releases: who moves a shopper to another variant mixes what is compared.
    assert here[:8] == FIRST_EIGHT


def variant_of(user_id: str) -> Variant | None:
    return an_experiment().variant_of("shop", user_id)


FIRST_EIGHT = ["control", "other", "control", "other", "other", "other", "control", "control"]


def test_nobody_is_in_two_experiments_of_one_layer() -> None:
    parts = [an_experiment("a", 0, 0.4), an_experiment("b", 0.4, 0.7), an_experiment("c", 0.7, 1)]
    taken = [[each.variant_of("shop", user) is not None for each in parts] for user in USERS[:5000]]
    assert all(sum(of_user) == 1 for of_user in taken)


def test_layers_and_experiments_do_not_know_of_each_other() -> None:
    one, other = an_experiment("a", 0, 0.5, "left"), an_experiment("b", 0, 0.5, "right")
    both = sum(
        one.variant_of("shop", user) is not None and other.variant_of("shop", user) is not None
        for user in USERS
    )
    assert abs(both / len(USERS) - 0.25) < 0.01
    # Another experiment in the same part of the layer begins with groups of its own.
    next_one = an_experiment("next", 0, 0.5, "left")
    same = [
        first is second
        for user in USERS[:20_000]
        if (first := one.variant_of("shop", user)) and (second := next_one.variant_of("shop", user))
    ]
    assert abs(sum(same) / len(same) - 0.5) < 0.02


def test_shops_with_one_experiment_have_groups_of_their_own() -> None:
    same = [variant_of(user) is an_experiment().variant_of("other", user) for user in USERS[:5000]]
    assert abs(sum(same) / len(same) - 0.5) < 0.03


def test_an_assignment_is_of_the_running_experiment_about_the_placement() -> None:
    changed = Variant("new", 1.0, {"home": Placement(("new",))})
    stopped = an_experiment("stopped", 0, 0.5, is_running=False)
    running = an_experiment("running", 0.5, 1, variants=(changed,))
    found = [assignment([stopped, running], "shop", "home", user) for user in USERS[:1000]]
    # Whom the stopped one had sees the placement as it is, and nobody changes over.
    assert 400 < found.count(None) < 600
    assert set(filter(None, map(name_of, found))) == {"running"}
    assert assignment([running], "shop", "basket", USERS[0]) is None


def name_of(found: Assignment | None) -> str | None:
    return found.experiment if found else None
