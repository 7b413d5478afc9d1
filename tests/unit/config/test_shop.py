"""The shop's settings, from the file to what the core takes."""

from dataclasses import replace
from pathlib import Path

import pytest

from recsys.config.shop import Shop, load_shop
from recsys.core.errors import ConfigurationError
from recsys.core.event_types import EventType, details_that_count
from recsys.core.quotas import Quotas
from recsys.core.serving.controls import Fatigue
from recsys.core.serving.placement import Placement

_REST = 'half_life_days = 30\npopularity_half_life_days = 7\ngoals = ["buy"]\n[event_types]\n'


def shop_of(folder: Path, event_types: str) -> Shop:
    path = folder / "shop.toml"
    path.write_text(_REST + event_types, encoding="utf-8")
    return load_shop(path)


def test_the_shipped_shop_counts_neither_quantities_nor_prices() -> None:
    shop = load_shop()

    assert details_that_count(shop.event_types.values()) == []
    assert shop.event_types["purchase"] == EventType(1.0, excludes=True)
    assert shop.event_types["dislike"].weight < 0


def test_a_type_may_count_quantity_and_price_and_fade_by_itself(tmp_path: Path) -> None:
    shop = shop_of(
        tmp_path,
        "buy = { weight = 1, half_life_days = 90, quantity_exponent = 0.5,"
        " price_exponent = 0.25, typical_price = 12.5 }",
    )

    assert shop.event_types == {
        "buy": EventType(
            1.0,
            half_life_days=90.0,
            quantity_exponent=0.5,
            price_exponent=0.25,
            typical_price=12.5,
        )
    }


def test_a_type_may_count_ratings_unless_they_would_count_the_other_way_round(
    tmp_path: Path,
) -> None:
    shop = shop_of(tmp_path, "buy = { weight = 1, rating_scale = [1, 5], rating_counts = true }")

    assert shop.event_types == {"buy": EventType(1.0, rating_scale=(1, 5), rating_counts=True)}
    with pytest.raises(ConfigurationError, match="a weight that is not negative"):
        shop_of(tmp_path, "buy = { weight = -1, rating_scale = [1, 5], rating_counts = true }")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("quantity_exponent = 1.5", "less than or equal to 1"),
        ("quantity_exponent = -0.1", "greater than or equal to 0"),
        ("quantity_exponent = nan", "finite"),
        ("price_exponent = 2, typical_price = 1", "less than or equal to 1"),
        ("price_exponent = 0.5", "price_exponent needs a typical_price"),
        ("typical_price = 0", "greater than 0"),
        ("half_life_days = 0", "greater than 0"),
        ("half_life_days = inf", "less than or equal|finite"),
        ("half_live_days = 3", "is not a known setting"),
        ("rating_scale = [5, 1]", "the lowest rating, then a higher one"),
        ("rating_scale = [1]", "is required"),
        ("rating_scale = [-1, 1]", "greater than or equal to 0"),
        ("rating_counts = true", "rating_counts needs a rating_scale"),
    ],
)
def test_what_makes_no_sense_is_named(tmp_path: Path, setting: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"event_types\.buy.*({reason})"):
        shop_of(tmp_path, f"buy = {{ weight = 1, {setting} }}")


def test_a_shop_has_the_placements_that_it_names_or_the_shipped_ones(tmp_path: Path) -> None:
    own = '\nbuy = { weight = 1 }\n[placements]\nhome = ["new", "popular"]\n'
    assert shop_of(tmp_path, own).placements == {"home": Placement(("new", "popular"))}
    shipped = shop_of(tmp_path, "buy = { weight = 1 }").placements
    assert shipped == load_shop().placements
    assert shipped["home"].generators == ("for_you", "popular", "new")


@pytest.mark.parametrize(
    ("placement", "reason"),
    [
        (
            'home = ["for-you"]',
            "'for-you' is not a generator: use for_you, similar, bought_together",
        ),
        ("home = []", "at least 1 entry"),
        ('"no slash/please" = ["new"]', "its name must match"),
        ('home = "new"', "must be a table"),
        ('home = { generators = ["new"], fatigue = { after = 0, factor = 0.5 } }', "equal to 1"),
        ('home = { generators = ["new"], fatigue = { after = 3 } }', "factor: is required"),
    ],
)
def test_what_is_wrong_with_a_placement_is_named(
    tmp_path: Path, placement: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"placements.*{reason}"):
        shop_of(tmp_path, f"buy = {{ weight = 1 }}\n[placements]\n{placement}\n")


def test_a_shop_names_the_pages_that_may_call_and_how_often(tmp_path: Path) -> None:
    shop = shop_of(
        tmp_path,
        "buy = { weight = 1 }\n[limits]\nrequests_per_second = 7\n"
        '[cors]\nallowed_origins = ["https://shop.example", "http://localhost:3000"]',
    )

    assert shop.allowed_origins == ("https://shop.example", "http://localhost:3000")
    assert shop.limits.requests_per_second == 7
    assert load_shop().allowed_origins == ()


def test_a_shop_has_quotas_in_mebibytes(tmp_path: Path) -> None:
    quotas = "[quotas]\nrecent_users = 5\nrecent_mebibytes = 64"
    shop = shop_of(tmp_path, f"buy = {{ weight = 1 }}\n{quotas}")

    assert shop.quotas == Quotas(recent_users=5, recent_bytes=64 * 1024**2)
    assert load_shop().quotas == Quotas()


@pytest.mark.parametrize("origin", ["*", "shop.example", "https://shop.example/", "https://A.b"])
def test_an_origin_is_written_as_browsers_write_it(tmp_path: Path, origin: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cors.allowed_origins.0"):
        shop_of(tmp_path, f'buy = {{ weight = 1 }}\n[cors]\nallowed_origins = ["{origin}"]')


def test_what_a_file_does_not_name_is_as_shipped(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text("popularity_half_life_days = 5\n[limits]\n[cors]\n")
    assert load_shop(path) == replace(load_shop(), popularity_half_life_days=5.0)
    path.write_text("")
    assert load_shop(path) == load_shop()


def test_a_list_or_table_that_a_file_names_replaces_the_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text('goals = ["buy"]\n[event_types]\nbuy = {weight = 1}\n')
    shop = load_shop(path)
    assert list(shop.event_types) == ["buy"]
    assert shop.target_types == ("buy",)
    assert shop.placements.keys() == load_shop().placements.keys()


def test_the_rules_of_the_how_to_are_a_file_of_their_own(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[3] / "docs/how-to/add-a-rule.md").read_text()
    path = tmp_path / "shop.toml"
    path.write_text(guide.split("```toml\n")[1].split("```")[0])
    names = [each.name for each in load_shop(path).rules]
    assert names == ["Christmas candles", "cover item", "trade packs first"]


def test_a_placement_may_tire_of_what_was_shown_often(tmp_path: Path) -> None:
    own = """
buy = { weight = 1 }
[placements.home]
generators = ["popular"]
fatigue = { after = 5, factor = 0.3 }
"""
    shop = shop_of(tmp_path, own)
    assert shop.placements["home"].controls.fatigue == Fatigue(5, 0.3)
    assert shop.counts_impressions
    assert not load_shop().counts_impressions


def test_impressions_count_where_only_a_variant_tires_of_items(tmp_path: Path) -> None:
    own = """
buy = { weight = 1 }
[placements]
home = ["popular"]
[[experiments]]
name = "tired"
placements = ["home"]
[[experiments.variants]]
name = "control"
[[experiments.variants]]
name = "tiring"
[experiments.variants.placements.home]
fatigue = { after = 5, factor = 0.3 }
"""
    assert shop_of(tmp_path, own).counts_impressions


def test_weights_that_no_file_of_the_shop_names_may_be_found(tmp_path: Path) -> None:
    rest = tmp_path / "rest.toml"
    rest.write_text("half_life_days = 3\n")
    for shop in (load_shop(), load_shop(rest)):
        assert shop.unfixed_weights == (
            *("view", "click", "add_to_cart", "purchase", "rating", "like"),
        )


def test_a_type_without_a_weight_has_one_to_begin_with(tmp_path: Path) -> None:
    shop = shop_of(
        tmp_path,
        "buy = { excludes = true }\nlook = {}\nlike = { weight = 2 }\nbin = { weight = -1 }",
    )
    assert shop.unfixed_weights == ("buy", "look")
    assert {name: kind.weight for name, kind in shop.event_types.items()} == {
        "buy": 1.0, "look": 0.3, "like": 2.0, "bin": -1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "half_life_days = true",
        "popularity_windows_days = [true]",
        "[event_types]\nbuy = { weight = true }",
        "[event_types]\nbuy = { weight = 1, rating_scale = [false, 5] }",
        "[gate]\nmin_judged_users = true",
        "[limits]\nrequests_per_second = true",
        "[quotas]\nrecent_users = true",
        '[placements.home]\ngenerators = ["new"]\nmax_per_brand = true',
        '[placements.home]\ngenerators = ["new"]\nfatigue = { after = true, factor = 0.5 }',
        '[[rules]]\nname = "r"\naction = "boost"\nfilter = "price < 5"\nweight = true',
        '[[rules]]\nname = "r"\naction = "pin"\nitem_id = "i"\nposition = true',
        '[[experiments]]\nname = "e"\nplacements = ["home"]\nshare = true\n'
        'variants = [{ name = "a" }, { name = "b" }]',
    ],
)
def test_true_is_no_number(tmp_path: Path, text: str) -> None:
    path = tmp_path / "shop.toml"
    goals = 'goals = ["buy"]\n' if "buy" in text else ""
    path.write_text(goals + text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match="must be a number, not true or false"):
        load_shop(path)
