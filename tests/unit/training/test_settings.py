"""Settings of a model: what is stored of them, and what a shop has fixed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from recsys.config.shop import load_shop
from recsys.core.errors import ConfigurationError
from recsys.training.als import AlsSettings, Device
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


def test_a_weight_of_a_type_that_the_shop_does_not_have_is_refused() -> None:
    shop = load_shop()
    FOUND.refuse_unknown_types(shop)
    with pytest.raises(ConfigurationError, match=r"event_weights\.purchse: .* there are: .*view"):
        ModelSettings(event_weights={"purchse": 2.0}).refuse_unknown_types(shop)


@pytest.mark.parametrize("device", list(Device))
def test_a_device_is_known_by_its_name(device: Device) -> None:
    assert AlsSettings(device=device.value).device is device  # type: ignore[arg-type]


def test_no_other_device_stands_in_for_one_that_there_is_not() -> None:
    with pytest.raises(ConfigurationError, match="device 'tpu' is none of: auto, cpu, gpu"):
        AlsSettings(device="tpu")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["factors", "iterations", "seed"])
@pytest.mark.parametrize("value", [64.0, "64", True])
def test_what_must_be_whole_is_refused_where_it_is_not(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a whole number"):
        AlsSettings(**{name: value})
    assert AlsSettings(**{name: np.int64(64)}) == AlsSettings(**{name: 64})


def test_neighbours_are_whole() -> None:
    with pytest.raises(ConfigurationError, match="neighbours must be a whole number"):
        ModelSettings(neighbours=10.5)  # type: ignore[arg-type]
