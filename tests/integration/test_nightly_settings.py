"""The shop's own settings reach the lists."""

from pathlib import Path

import pytest

from recsys.runtime import shop
from recsys.runtime.shop import Shop, load_shop
from tests.integration.nightly_shop import Nightly

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
_SHIPPED = Path(shop.__file__).with_name("shop.toml").read_text(encoding="utf-8")


@pytest.fixture
def shop_with(tmp_path: Path):
    def make(before: str, after: str) -> Shop:
        assert before in _SHIPPED
        path = tmp_path / "shop.toml"
        path.write_text(_SHIPPED.replace(before, after), encoding="utf-8")
        return load_shop(path)

    return make


def of_taste(taste: str, item_ids: list[str]) -> int:
    return sum(item_id.startswith(taste) for item_id in item_ids)


def test_a_heavier_purchase_moves_a_shopper_from_what_they_saw_to_what_they_bought(
    nightly: Nightly, shop_with
) -> None:
    nightly.run()
    light = nightly.recommended("viewer")
    nightly.run(shop=shop_with("purchase         = { weight = 1.0", "purchase = { weight = 10.0"))
    heavy = nightly.recommended("viewer")

    assert of_taste("a", light[:4]) == 4
    assert of_taste("b", heavy[:4]) == 4


def test_with_a_short_half_life_the_newest_behaviour_decides(nightly: Nightly, shop_with) -> None:
    nightly.run(shop=shop_with("half_life_days = 180.0", "half_life_days = 36500.0"))
    long_memory = nightly.recommended("changer")
    nightly.run(shop=shop_with("half_life_days = 180.0", "half_life_days = 10.0"))
    short_memory = nightly.recommended("changer")

    assert of_taste("a", long_memory[:4]) >= 2
    assert of_taste("a", short_memory[:4]) == 0


def test_an_event_type_without_weight_teaches_nothing(nightly: Nightly, shop_with) -> None:
    nightly.run(shop=shop_with("view             = { weight = 0.2", "view = { weight = 0.0"))

    assert of_taste("a", nightly.recommended("viewer")) == 0
