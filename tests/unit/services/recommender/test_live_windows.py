"""What is bought since the night counts in windows of popularity."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from recsys.clock import utc_now_ms
from recsys.core.domain import Item
from recsys.core.purchases import Purchase
from recsys.core.serving.live_windows import LiveWindows
from services.recommender.model import live_data
from services.recommender.model.live_data import PurchaseFollower
from tests.clock import Clock
from tests.unit.services.recommender.shop import Shop
from tests.unit.services.recommender.test_answer_batch import answers, document, of_user


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr(live_data, "_LOOK_SECONDS", 0)
    monkeypatch.setattr(live_data, "_RENEW_SECONDS", 0)
    monkeypatch.setattr(live_data, "_RESTS_PER_RENEWAL", 0)
    with Shop() as shop:
        yield shop


def buys(shop: Shop, item_id: str, *user_ids: str) -> None:
    shop.purchases.append("shop", [Purchase.by(user_id, item_id) for user_id in user_ids])
    shop.wait(shop.follower.refresh())


def within_a_week(
    shop: Shop, generator: str = "popular", **wishes: Any
) -> list[tuple[str, float | None]]:
    question = of_user("nobody", limit=3)
    question.generators.append(generator)
    question.controls.window_days = 7
    question.filter = wishes.get("filter", "")
    items = document(answers(shop, question)[1])["items"]
    return [(item["item_id"], item["score"]) for item in items]


def test_a_list_of_a_window_follows_what_is_bought(shop: Shop) -> None:
    assert within_a_week(shop) == [("i0", 1.0), ("i5", 0.75), ("i4", None)]
    buys(shop, "i5", "ann", "bob")
    assert within_a_week(shop) == [("i5", 1.0), ("i0", 0.8), ("i4", None)]
    buys(shop, "i5", "ann", "bob")
    assert within_a_week(shop)[1] == ("i0", 0.8)
    buys(shop, "i2", "ann")
    assert within_a_week(shop)[2] == ("i2", 0.2)


def test_what_takes_off_since_the_night_is_trending(shop: Shop) -> None:
    before = within_a_week(shop, "trending")
    assert "i2" not in dict(before)
    buys(shop, "i2", *(f"u{n}" for n in range(9)))
    assert within_a_week(shop, "trending")[0][0] == "i2"


def test_a_filter_and_the_catalogue_hold_for_it(shop: Shop) -> None:
    shop.put(Item("new", title="New", price=5.0))
    shop.put(Item("i5", title="Item 5", price=50.0))
    buys(shop, "new", *(f"u{n}" for n in range(8)))
    assert within_a_week(shop)[0] == ("new", 1.0)
    assert within_a_week(shop, filter="price > 10") == [("i5", pytest.approx(3 / 8))]
    shop.put(Item("new", available=False))
    assert "new" not in dict(within_a_week(shop))


def test_of_a_model_what_was_bought_after_its_behaviour_was_read_counts(shop: Shop) -> None:
    shop.purchases.append("shop", [Purchase.by("ann", "i2")])
    model = shop.follower.serving("shop").model
    later = replace(model.params, read_at_ms=utc_now_ms() + 60_000)
    next_model = replace(model, params=later, windows=LiveWindows(model.items, model.shown.row_of))
    follower = PurchaseFollower(shop.store, "shop")
    for one, rows in ((model, [0, 5, 2]), (next_model, [0, 5]), (model, [0, 5, 2])):
        shop.wait(follower.refresh(one))
        window = one.windows.of(7)
        assert window is not None
        assert window.popular.tolist() == rows


def test_it_is_looked_at_once_a_second_and_renewed_every_few() -> None:
    clock = Clock()
    with Shop() as shop:
        model = shop.follower.serving("shop").model
        follower = PurchaseFollower(shop.store, "shop", clock)

        def bought(item_id: str, at: float) -> int:
            """In a list of the week, after a look at that time."""
            shop.purchases.append("shop", [Purchase.by("ann", item_id)])
            clock.now = at
            shop.wait(follower.refresh(model))
            window = model.windows.of(7)
            assert window is not None
            return len(window.popular)

        assert bought("i1", 0.0) == 3
        assert bought("i2", 0.9) == 3
        assert not model.windows.is_stale
        assert bought("i3", 1.0) == 3
        assert model.windows.is_stale
        assert bought("i4", 4.9) == 3
        assert bought("i4", 5.9) == 6
