"""Settings of a model: what is stored of them, and what a shop has fixed."""

from dataclasses import replace

import pytest

from recsys.config.shop import load_shop
from recsys.core.errors import ConfigurationError
from recsys.training.settings import ModelSettings, settings_entry, settings_of_entry

FOUND = ModelSettings(
    half_life_days=20.0, popularity_half_life_days=3.0, event_weights={"view": 0.02, "like": 3.0}
)


def test_what_was_found_is_stored_and_read_again() -> None:
    assert settings_of_entry(settings_entry(FOUND)) == FOUND
    older = settings_entry(FOUND)
    del older["event_weights"]
    assert settings_of_entry(older) == replace(FOUND, event_weights={})


def test_what_a_shop_fixes_goes_before_what_was_found_for_it() -> None:
    shop = load_shop()
    assert FOUND.as_fixed_by(shop) == FOUND
    fixed = replace(shop, half_life_days=100.0, unfixed_weights=("like", "purchase"))
    assert FOUND.as_fixed_by(fixed) == replace(
        FOUND, half_life_days=100.0, event_weights={"like": 3.0}
    )


@pytest.mark.parametrize("weight", [0.0, float("nan"), float("inf"), 1e7])
def test_a_weight_that_makes_no_sense_is_named(weight: float) -> None:
    with pytest.raises(ConfigurationError, match=r"event_weights\.view"):
        ModelSettings(event_weights={"view": weight})
