import json
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.config.shop import load_shop
from recsys.core.errors import ConfigurationError
from recsys.training.als import AlsSettings, Device
from recsys.training.settings import ModelSettings
from spark_jobs.model_settings import read_model_settings, write_model_settings

SHOP = load_shop()


def read_settings(path: Path) -> ModelSettings:
    """The settings of a file that says nothing which would not count."""
    told: list[str] = []
    settings = read_model_settings(path, SHOP, told.append)
    assert not told
    return settings


def test_settings_survive_the_file(tmp_path: Path) -> None:
    als = AlsSettings(factors=48, alpha=7.5, iterations=9, device=Device.CPU)
    settings = ModelSettings(als, neighbour_weight=0.4, trend_exponent=0.0)
    write_model_settings(tmp_path / "s.json", settings)
    assert read_settings(tmp_path / "s.json") == settings


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_bytes(b'\xef\xbb\xbf{"als": {"factors": 32}}\r\n')
    assert read_settings(tmp_path / "s.json") == ModelSettings(AlsSettings(factors=32))


def test_what_the_file_does_not_name_keeps_its_default(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"als": {"factors": 32}}')
    assert read_settings(tmp_path / "s.json") == ModelSettings(AlsSettings(factors=32))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"als": {"factors": "many"}}, "als.factors"),
        ({"als": {"factors": 0}}, "factors must be between"),
        ({"als": {"seed": -1}}, "seed must be between 0"),
        ({"als": {"lambda": 1}}, "lambda is no setting"),
        ({"neighbor_weight": 1}, "neighbor_weight is no setting"),
        ({"als": {"device": "tpu"}}, "als.device"),
        ({"trend_exponent": -1}, "trend_exponent must be between"),
        ({"half_life_days": True}, "half_life_days: must be a number, not true or false"),
        ({"als": {"factors": True}}, r"als\.factors: must be a number"),
        ({"event_weights": {"purchse": 2}}, r"event_weights\.purchse: the shop has no such event"),
        ({"event_weights": {"view": False}}, r"event_weights\.view: must be a number"),
        ([], "object of settings"),
    ],
)
def test_a_setting_at_fault_is_named_with_its_file(
    tmp_path: Path, content: object, named: str
) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ConfigurationError, match=named) as raised:
        read_settings(path)
    assert str(path) in str(raised.value)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing\.json"):
        read_settings(tmp_path / "nothing.json")


def test_what_the_shop_fixes_otherwise_is_told(tmp_path: Path) -> None:
    shop = replace(SHOP, half_life_days=30.0, unfixed_weights=("view",))
    weights = {"view": 0.5, "purchase": 7.0, "dislike": SHOP.event_types["dislike"].weight}
    path, told = tmp_path / "s.json", list[str]()
    path.write_text(json.dumps({"half_life_days": 90, "event_weights": weights}))

    read_model_settings(path, shop, told.append)

    assert told == [
        f"{path}: half_life_days 90 does not count: the shop's settings say 30",
        f"{path}: event_weights.purchase 7 does not count: the shop's settings say 1",
    ]
