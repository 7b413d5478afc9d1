"""Rules and controls of placements, from the file to what the core takes."""

import hashlib
import os
from datetime import datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from recsys.config.shop import Shop, load_shop
from recsys.config.shops import Shops
from recsys.core.errors import ConfigurationError
from recsys.core.serving.controls import Boost, Controls, Exclusion, Pin

REST = (
    'half_life_days = 30\npopularity_half_life_days = 7\ngoals = ["buy"]\n'
    "[event_types]\nbuy = { weight = 1 }\n"
)
DAY_MS = 86_400_000
CHRISTMAS_MS = 1_798_156_800_000  # 2026-12-25


def shop_of(folder: Path, text: str) -> Shop:
    path = folder / "shop.toml"
    path.write_text(REST + text, encoding="utf-8")
    return load_shop(path)


def rule(**changes: str) -> str:
    fields = {"name": '"candles"', "action": '"boost"', "filter": "'price < 5'", "weight": "2.0"}
    listed = "\n".join(f"{name} = {value}" for name, value in (fields | changes).items() if value)
    return f"[[rules]]\n{listed}\n"


def test_a_placement_is_a_list_of_generators_or_a_table_with_controls(tmp_path: Path) -> None:
    shop = shop_of(
        tmp_path,
        '[placements]\nhome = ["new"]\n'
        '[placements.top]\ngenerators = ["popular"]\ndiversity = 0.3\nmax_per_brand = 2\n'
        "strict = true\n",
    )
    assert shop.placements["home"].controls == Controls()
    top = shop.placements["top"]
    assert top.generators == ("popular",)
    assert top.controls == Controls(diversity=0.3, max_per_brand=2, strict=True)


def test_a_placement_may_have_a_window_that_the_shop_counts(tmp_path: Path) -> None:
    placement = '[placements.week]\ngenerators = ["popular"]\nwindow_days = 14\n'
    path = tmp_path / "shop.toml"
    path.write_text("popularity_windows_days = [30, 14]\n" + REST + placement)
    shop = load_shop(path)
    assert shop.windows_days == (14, 30)
    assert shop.placements["week"].controls == Controls(window_days=14)
    assert load_shop().windows_days == (1, 7, 30)


def test_a_rule_holds_where_and_when_it_says(tmp_path: Path) -> None:
    shop = shop_of(
        tmp_path,
        rule(
            placements='["home"]', until="2026-12-25T00:00:00Z", **{"from": "2026-12-24T00:00:00Z"}
        )
        + rule(name='"no sale"', action='"exclude"', filter="'brand = \"X\"'", weight="")
        + '[[rules]]\nname = "launch"\naction = "pin"\nitem_id = "85123A"\nposition = 1\n'
        + rule(name='"old"', action='"bury"', weight="0.5"),
    )
    assert shop.placements["home"].controls_at(CHRISTMAS_MS - DAY_MS - 1).boosts == (
        Boost("price < 5", 0.5, "old"),
    )
    for moment in (CHRISTMAS_MS - DAY_MS, CHRISTMAS_MS - 1):
        assert shop.placements["home"].controls_at(moment) == Controls(
            boosts=(Boost("price < 5", 2.0, "candles"), Boost("price < 5", 0.5, "old")),
            pins=(Pin("85123A", 1, "launch"),),
            exclusions=(Exclusion('brand = "X"', "no sale"),),
        )
    for name, moment in (("home", CHRISTMAS_MS), ("bestsellers", CHRISTMAS_MS - 1)):
        assert len(shop.placements[name].controls_at(moment).boosts) == 1


def test_a_rule_may_depend_on_what_the_shop_says_of_the_user(tmp_path: Path) -> None:
    when = "user.segment = 'trade' AND user.orders > 10"
    home = shop_of(tmp_path, rule(when=f'"{when}"')).placements["home"]
    assert [each.when for each in home.rules] == [when]
    assert len(home.for_user({"segment": "trade", "orders": 11.0}).controls_at(0).boosts) == 1
    assert not home.for_user({"segment": "trade", "orders": "11"}).controls_at(0).boosts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (rule(filter="'price <'"), "rule 'candles': filter ends too early"),
        (rule(filter=""), "rule 'candles': boost needs filter"),
        (rule(when="'user.segment ='"), "rule 'candles': when ends too early: expected a number"),
        (rule(when="''"), "rule 'candles': when ends too early"),
        (
            rule(when="'price < 5'"),
            "rule 'candles': when at character 1: unknown field 'price': use user.NAME",
        ),
        (rule(position="1"), "rule 'candles': boost has no position"),
        (rule(weight="0.5"), "rule 'candles': weight of a boost is above 1"),
        (rule(action='"bury"'), "rule 'candles': weight of a bury is below 1"),
        (rule(weight="1000.0"), "rule 'candles': weight must be between 0.01 and 100"),
        (rule(weight="nan"), "rule 'candles': weight of a boost is above 1"),
        (rule(action='"hide"'), "rule 'candles': action: must be 'boost', 'bury'"),
        (rule(colour='"red"'), "rule 'candles': colour: is not a known setting"),
        (rule(until="2026-12-25T00:00:00"), "rule 'candles': until: .*timezone"),
        (
            rule(until="2026-12-25T00:00:00Z", **{"from": "2026-12-25T00:00:00Z"}),
            "rule 'candles': until must be later than from",
        ),
        (
            rule(placements='["hom"]'),
            "rule 'candles': 'hom' is not a placement: use basket|'hom' is",
        ),
        (rule() + rule(), "rule 'candles': another rule has this name"),
        ("[placements.home]\ngenerators = ['new']\ndiversity = 2\n", "home.diversity: .*less than"),
        (
            "[placements.home]\ngenerators = ['new']\nexclude_event_types = ['bye']\n",
            "placements.home.exclude_event_types: 'bye' is not one of the types that count: buy",
        ),
        ("[placements.home]\ngenerators = ['new']\nmax_per_brand = 0\n", "home.max_per_brand"),
        (
            "[placements.home]\ngenerators = ['popular']\nwindow_days = 5\n",
            "placements.home.window_days: 5 is not one of the windows .* counts: 1, 7, 30",
        ),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_with_its_name(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        shop_of(tmp_path, text)


def test_a_change_of_rules_is_followed_and_logged_once_with_old_and_new(tmp_path: Path) -> None:
    now = [0.0]
    path = tmp_path / "books.toml"
    path.write_text(REST + rule(), encoding="utf-8")
    shops = Shops(tmp_path, lambda: None, clock=lambda: now[0])
    assert shops.placements_of("books")["home"].controls_at(0).boosts[0].weight == 2.0
    draft = tmp_path / "draft"
    draft.write_text(REST + rule(weight="3.0"), encoding="utf-8")
    os.replace(draft, path)  # noqa: PTH105  # as an operator's tools do
    with capture_logs() as logs:
        for now[0] in (2.0, 4.0):
            assert shops.placements_of("books")["home"].controls_at(0).boosts[0].weight == 3.0
    [settings] = [line for line in logs if line["event"] == "shop_settings"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (settings["tenant"], settings["file"]) == ("books", str(path))
    assert digest.startswith(settings["digest"])
    assert settings["owner"] == path.owner()
    assert datetime.fromisoformat(settings["written"]).timestamp() == int(path.stat().st_mtime)
    assert settings["changed"] == ["rules"]
    [change] = [line for line in logs if line["event"] == "rules_changed"]
    assert change["tenant"] == "books"
    [old], [new] = change["old"], change["new"]
    assert (old["name"], old["effect"]["weight"]) == ("candles", 2.0)
    assert (new["name"], new["effect"]["weight"]) == ("candles", 3.0)
