"""The shop's own settings reach the lists."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.config import shop
from recsys.config.shop import Shop, load_shop
from tests.integration.nightly_shop import Nightly, shop_events

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
ShopWith = Callable[[str, str], Shop]
_SHIPPED = Path(shop.__file__).with_name("shop.toml").read_text(encoding="utf-8")


@pytest.fixture
def shop_with(tmp_path: Path):
    def make(before: str, after: str) -> Shop:
        assert before in _SHIPPED
        path = tmp_path / "shop.toml"
        path.write_text(_SHIPPED.replace(before, after), encoding="utf-8")
        return load_shop(path)

    return make


def new_to(shopper: str, nightly: Nightly) -> list[str]:
    """The tastes of the first ten recommended items that the shopper has not touched yet."""
    touched = {event.item_id for event in shop_events() if event.user_id == shopper}
    answer = nightly.recommended(shopper, limit=30)
    return [item_id[0] for item_id in answer if item_id not in touched][:10]


def test_a_heavier_purchase_moves_a_shopper_from_what_they_saw_to_what_they_bought(
    nightly: Nightly, shop_with: ShopWith
) -> None:
    nightly.run()
    light = new_to("viewer", nightly)
    nightly.run(shop=shop_with("purchase         = { weight = 1.0", "purchase = { weight = 10.0"))
    heavy = new_to("viewer", nightly)

    assert light.count("a") >= 8
    assert heavy.count("b") >= 8


def test_with_a_short_half_life_the_newest_behaviour_decides(
    nightly: Nightly, shop_with: ShopWith
) -> None:
    nightly.run(shop=shop_with("# half_life_days = 180.0", "half_life_days = 36500.0"))
    long_memory = new_to("changer", nightly)
    nightly.run(shop=shop_with("# half_life_days = 180.0", "half_life_days = 10.0"))
    short_memory = new_to("changer", nightly)

    assert long_memory.count("a") >= 8
    assert short_memory.count("b") >= 8


def test_a_type_with_a_half_life_of_its_own_fades_by_that(
    nightly: Nightly, shop_with: ShopWith
) -> None:
    nightly.run(shop=shop_with("view             = {", "view = { half_life_days = 10.0,"))

    assert new_to("changer", nightly).count("b") >= 8


def test_an_event_type_without_weight_teaches_nothing(
    nightly: Nightly, shop_with: ShopWith
) -> None:
    nightly.run(shop=shop_with("view             = { weight = 0.2", "view = { weight = 0.0"))

    assert new_to("viewer", nightly).count("b") >= 8
