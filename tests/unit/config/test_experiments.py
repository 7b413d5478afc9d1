"""Experiments in a shop's file, and what is wrong with them said by name."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from recsys.config.shop import Shop, load_shop
from recsys.config.shops import Shops
from recsys.core.errors import ConfigurationError
from recsys.core.serving.controls import Boost

REST = (
    'half_life_days = 30\npopularity_half_life_days = 7\ngoals = ["buy"]\n'
    "[event_types]\nbuy = { weight = 1 }\nlook = { weight = 0 }\n"
    '[placements]\nbasket = ["popular"]\n'
    '[placements.home]\ngenerators = ["for_you", "popular"]\ndiversity = 0.2\n'
)
RULE = (
    '[[rules]]\nname = "sale"\naction = "boost"\nfilter = "price < 5"\nweight = 2.0\n'
    'placements = ["home"]\n'
)


def experiment(
    name: str = "mixed", about: str = '["home"]', rest: str = "", changes: str = ""
) -> str:
    return (
        f'[[experiments]]\nname = "{name}"\nplacements = {about}\n{rest}\n'
        '[[experiments.variants]]\nname = "control"\n'
        '[[experiments.variants]]\nname = "other"\nweight = 3\n'
        f"[experiments.variants.placements]\n{changes or 'home = { diversity = 0.6 }'}\n"
    )


def shop_of(folder: Path, text: str) -> Shop:
    path = folder / "shop.toml"
    path.write_text(REST + text, encoding="utf-8")
    return load_shop(path)


def test_a_variant_is_the_placement_with_its_changes_and_the_same_rules(tmp_path: Path) -> None:
    [found] = shop_of(tmp_path, RULE + experiment(rest="share = 0.5\nenabled = false")).experiments
    assert (found.name, found.layer, found.start, found.end) == ("mixed", "default", 0, 0.5)
    assert not found.is_running
    control, other = found.variants
    assert (control.weight, control.placements, other.weight) == (1, {}, 3)
    changed = other.placements["home"]
    assert changed.generators == ("for_you", "popular")
    assert changed.controls.diversity == 0.6
    assert changed.controls_at(0).boosts == (Boost("price < 5", 2.0, "sale"),)


def test_experiments_of_a_layer_stand_one_after_the_other(tmp_path: Path) -> None:
    text = "".join(experiment(name, rest="share = 0.1") for name in "abcdefghij")
    found = shop_of(tmp_path, text).experiments
    assert [(each.start, each.end) for each in found[:2]] == [(0, 0.1), (0.1, 0.2)]
    assert found[-1].end == pytest.approx(1)
    # One that is stopped keeps its place: nobody of the others changes over.
    stopped = text.replace("share = 0.1", "share = 0.1\nenabled = false", 1)
    after = shop_of(tmp_path, stopped).experiments
    assert [(each.start, each.end) for each in after] == [(each.start, each.end) for each in found]


def test_a_shop_may_test_the_shipped_placements(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    without = REST[: REST.index("[placements]")]
    path.write_text(without + experiment(changes='home = ["trending", "popular"]'))
    [found] = load_shop(path).experiments
    assert found.variants[1].placements["home"].generators == ("trending", "popular")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (experiment("A"), "name: must match"),
        (experiment(about='["nowhere"]'), "'nowhere' is not a placement: use basket, home"),
        (experiment() * 2, "another experiment has this name, too"),
        (
            experiment("a", rest="share = 0.7") + experiment("b", rest="share = 0.4"),
            "shop.toml: experiment 'b': the shares of layer 'default' are more than 1 together",
        ),
        (
            experiment("a") + experiment("b", rest='layer = "second"'),
            "'b' is about 'home', too: give both one layer",
        ),
        (
            experiment(changes='basket = ["new"]'),
            "variant 'other' changes 'basket', which is not in its placements",
        ),
        (
            experiment(changes="home = { diversity = 2 }"),
            "experiment 'mixed': variant 'other', home: diversity: must be less than",
        ),
        (experiment(changes="home = { colour = 1 }"), "home: colour: is not a known setting"),
        (experiment(changes='home = ["for-you"]'), "'for-you' is not a generator"),
        (
            experiment(changes='home = { exclude_event_types = ["look"] }'),
            "variant 'other', home: exclude_event_types: 'look' is not one of the types that count",
        ),
        (
            experiment(changes="home = { window_days = 5 }"),
            "variant 'other', home: window_days: 5 is not one of the windows that this shop counts",
        ),
        (experiment().replace('"other"', '"control"'), "two variants have one name"),
        (experiment().replace("weight = 3", "weight = 0"), "weight: must be greater"),
        (experiment(rest="share = 0"), "share: must be greater than 0"),
        (experiment(rest='salt = "x"'), "salt: is not a known setting"),
        (
            '[[experiments]]\nname = "a"\nplacements = ["home"]\n'
            '[[experiments.variants]]\nname = "control"\n',
            "variants: must have at least 2 entries",
        ),
    ],
)
def test_what_is_wrong_with_an_experiment_is_said(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        shop_of(tmp_path, text)
    assert reason in str(caught.value)


def test_a_running_gateway_follows_the_kill_switch_and_leaves_a_trail(tmp_path: Path) -> None:
    path, now = tmp_path / "books.toml", [0.0]
    path.write_text(REST + experiment())
    shops = Shops(tmp_path, on_refused=lambda: None, clock=lambda: now[0])
    assert shops.experiments_of("books")[0].is_running
    path.write_text(REST + experiment(rest="enabled = false"))
    os.utime(path, (1, 1))
    now[0] = 10
    with capture_logs() as logs:
        assert not shops.experiments_of("books")[0].is_running
    [changed] = [line for line in logs if line["event"] == "experiments_changed"]
    assert (changed["tenant"], changed["old"][0]["is_running"]) == ("books", True)
    assert changed["new"] == [
        {"name": "mixed", "is_running": False, "weights": {"control": 1.0, "other": 3.0}}
    ]
    # A file at fault changes nothing.
    path.write_text(REST + experiment(about='["nowhere"]'))
    now[0] = 20
    assert not shops.experiments_of("books")[0].is_running
