"""A nightly run finds its settings, says how, and goes on from them the next night."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recsys.core.domain import Event, Item
from recsys.training.settings import settings_of_entry
from recsys.tuning import PLANS, FitEffort
from tests.integration.nightly_shop import Nightly, a_nightly, an_event

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
Seed = Callable[[str, list[Event], list[Item]], None]


@pytest.fixture(autouse=True)
def few_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(
        PLANS[FitEffort.QUICK],
        alpha_scales=(2.0,),
        regularizations=(0.01, 0.001),
        climbs=1,
        finalists=1,
        factors=(),
    )
    monkeypatch.setitem(PLANS, FitEffort.QUICK, few)


def walks(users: int = 150, items: int = 20, length: int = 7, name: str = "walker") -> list[Event]:
    """UserLists who go on from item to item, one a day."""
    random = np.random.default_rng(5)
    return [
        an_event(f"{name}{user}", f"w{(start + step) % items:02}", days_ago=float(length - step))
        for user, start in enumerate(random.integers(0, items, users).tolist())
        for step in range(length)
    ]


def test_settings_are_found_kept_and_gone_on_from(nightly: Nightly, seed: Seed) -> None:
    events = walks()
    seed("walkers", events, [Item(item_id) for item_id in {event.item_id for event in events}])
    walkers = a_nightly(
        nightly.settings.hbase_thrift, nightly.redis_url, nightly.settings.model_store, "walkers"
    )
    walkers.run(effort=FitEffort.QUICK)

    first = walkers.manifest()
    fit = first.training.fit
    assert fit is not None
    assert fit.effort == "quick"
    assert fit.ndcg >= fit.start_ndcg
    assert {trial.stage for trial in fit.trials} == {"half-life", "coarse", "middle", "final"}
    found = settings_of_entry(first.training.settings)
    assert first.recipe.half_life_days == found.half_life_days
    assert first.recipe.to_params().step_half_life == found.step_half_life

    walkers.run(effort=FitEffort.QUICK, force=True)

    again = walkers.manifest().training.fit
    assert again is not None
    assert len(again.trials) < len(fit.trials)
    assert any("from those of the serving version on" in line for line in walkers.said)
    assert again.whole_at_events == fit.whole_at_events == len(events)

    seed("walkers", walks(users=80, name="later"), [])
    walkers.said.clear()
    walkers.run(effort=FitEffort.QUICK, force=True)

    anew = walkers.manifest().training.fit
    assert anew is not None
    assert "coarse" in {trial.stage for trial in anew.trials}
    assert anew.whole_at_events == len(events) + 80 * 7
    assert any("were found with 1,050 events, and there are 1,610" in x for x in walkers.said)


def test_a_shop_too_small_to_tell_keeps_the_settings_given(nightly: Nightly) -> None:
    nightly.run(effort=FitEffort.QUICK)
    manifest = nightly.manifest()
    assert manifest.training.fit is None
    assert settings_of_entry(manifest.training.settings) == nightly.plan.model
    assert any("to find settings by" in line for line in nightly.said)
