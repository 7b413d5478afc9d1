"""Items that came after the night: known by their content until the next one."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from recsys.core.domain import Item
from recsys.core.model import ItemModel
from recsys.core.serving.request import RecommendationRequest, UserTarget
from recsys.core.times import MS_PER_DAY
from recsys.rpc.v1 import recommender_pb2 as pb
from services.recommender.asked import Asked
from services.recommender.model import serving as serving_module
from tests.builders import an_item_model
from tests.unit.services.recommender.shop import Shop
from tests.unit.services.recommender.test_answer_batch import answers, document, of_item, of_user

N = 12


def two_tastes() -> ItemModel:
    """Whoever wants an item wants those of its category, and none of the other one."""
    even = np.arange(N) % 2 == 0
    near = np.array([[(row + 2) % N, (row + 4) % N] for row in range(N)], np.int32)
    return an_item_model(
        N,
        factors=np.where(even[:, np.newaxis], [1.0, 0.0], [0.0, 1.0]).astype(np.float32),
        neighbours=near,
        neighbour_scores=np.tile(np.array([0.9, 0.5], np.float32), (N, 1)),
    )


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop(items=two_tastes()) as shop:
        yield shop


def new(item_id: str, category: str, **fields: Any) -> Item:
    return Item(item_id, title=item_id.title(), categories=(category,), **fields)


def listed(shop: Shop, question: pb.Question) -> dict[str, dict[str, Any]]:
    return {item["item_id"]: item for item in document(answers(shop, question)[1])["items"]}


def test_a_new_item_is_for_those_who_want_its_category_with_the_next_answer(shop: Shop) -> None:
    shop.happens("bob", "i0")
    before = listed(shop, of_user("bob", limit=5))
    shop.put(new("lamp", "even"))
    shop.put(new("rug", "odd"))
    after = listed(shop, of_user("bob", limit=6))
    assert set(after) - set(before) == {"lamp"}
    assert after["lamp"]["score"] == pytest.approx(after["i8"]["score"])
    assert after["lamp"]["title"] == "Lamp"


def test_it_is_in_no_list_any_more_when_it_was_bought_or_is_sold_out(shop: Shop) -> None:
    shop.put(new("lamp", "even"))
    shop.put(new("candle", "even"))
    shop.happens("bob", "i0")
    assert {"lamp", "candle"} <= set(listed(shop, of_user("bob", limit=9)))
    shop.happens("bob", "lamp")
    shop.put(new("candle", "even", available=False))
    assert not {"lamp", "candle"} & set(listed(shop, of_user("bob", limit=9)))


def test_it_is_similar_to_what_goes_with_its_category_and_has_similar_items(shop: Shop) -> None:
    shop.put(new("lamp", "even"))
    assert "lamp" in listed(shop, of_item("i0", limit=3))
    assert "lamp" not in listed(shop, of_item("i1", limit=3))
    found = document(answers(shop, of_item("lamp", limit=2))[1])
    assert found["source"] == "neighbours"
    assert {item["item_id"] for item in found["items"]} <= {f"i{n}" for n in range(0, N, 2)}


def test_a_new_item_without_content_like_that_of_others_waits_for_the_night(shop: Shop) -> None:
    shop.put(new("vase", "unheard of"))
    shop.happens("bob", "i0")
    assert "vase" not in listed(shop, of_user("bob", limit=5))
    assert document(answers(shop, of_item("vase", limit=2))[1])["source"] == "popular"


def test_what_is_foreseen_follows_the_content(shop: Shop) -> None:
    shop.put(new("lamp", "odd"))
    shop.happens("bob", "i0")
    assert "lamp" not in listed(shop, of_user("bob", limit=6))
    # Of the kept list, too.
    shop.put(new("lamp", "even"))
    assert "lamp" in listed(shop, of_user("bob", limit=6))
    shop.put(Item("lamp"))
    assert "lamp" not in listed(shop, of_user("bob", limit=6))


def test_a_filter_holds_for_new_items(shop: Shop) -> None:
    shop.put(new("lamp", "even", price=5.0))
    shop.put(new("candle", "even", price=50.0))
    shop.happens("bob", "i0")
    question = pb.Question(
        number=1, tenant="shop", user_id="bob", limit=4, budget_ms=1000, filter="price < 10"
    )
    assert set(listed(shop, question)) == {"lamp"}


def test_its_reason_is_what_the_user_did_and_the_parts_add_up(shop: Shop) -> None:
    shop.put(new("lamp", "even"))
    shop.happens("bob", "i0")
    question = of_user("bob", limit=9)
    plain = listed(shop, question)["lamp"]["score"]
    question.controls.MergeFrom(pb.Controls(explain=True, diversity=0.5))
    explained = listed(shop, question)["lamp"]
    assert explained["reason"]["code"] == "because_you_bought"
    assert [seed["item_id"] for seed in explained["reason"]["seeds"]] == ["i0"]
    assert sum(explained["score_parts"].values()) == pytest.approx(plain, rel=1e-3)


def test_it_is_put_in_order_among_given_items(shop: Shop) -> None:
    shop.put(new("lamp", "even"))
    shop.put(new("rug", "odd"))
    shop.put(new("vase", "unheard of"))
    question = of_user("bob")
    question.reranked_item_ids.extend(["vase", "rug", "i3", "i6", "lamp", "i4", "never"])
    # Nothing is known of bob: the most popular come first.
    assert reranked(shop, question) == ["i6", "i4", "i3", "rug", "lamp", "vase", "never"]
    shop.happens("bob", "i0")
    found = reranked(shop, question)
    assert set(found[:3]) == {"i6", "i4", "lamp"}
    assert found[5:] == ["vase", "never"]


def test_it_is_put_in_order_where_nothing_given_goes_with_what_the_user_did(shop: Shop) -> None:
    shop.put(new("lamp", "even"))
    shop.happens("bob", "lamp", "view")
    question = of_user("bob")
    question.reranked_item_ids.extend(["i1", "lamp"])
    assert reranked(shop, question) == ["lamp", "i1"]


def reranked(shop: Shop, question: pb.Question) -> list[str]:
    found: list[str] = document(answers(shop, question)[1])["item_ids"]
    return found


def test_it_was_viewed_lately_as_soon_as_it_was(shop: Shop) -> None:
    for item_id in ("lamp", "rug"):
        shop.put(new(item_id, "even"))
    for item_id in ("i3", "lamp", "i5", "rug", "lamp"):
        shop.happens("bob", item_id, "view")
    question = of_user("bob", limit=9)
    question.generators.append("recently_viewed")
    assert list(listed(shop, question)) == ["lamp", "rug", "i5", "i3"]
    shop.happens("bob", "i3", "view")
    assert list(listed(shop, question)) == ["i3", "lamp", "rug", "i5"]
    shop.happens("bob", "lamp", "purchase")
    assert list(listed(shop, question)) == ["i3", "rug", "i5"]


def evens(shop: Shop, question: pb.Question) -> int:
    """How many of the first three items of a list are of the even category."""
    found = document(answers(shop, question)[1])["items"][:3]
    return sum(item["item_id"] in {f"i{n}" for n in range(0, N, 2)} for item in found)


@pytest.mark.parametrize("event_type", ["view", "purchase"])
def test_what_is_done_with_it_changes_the_next_answer(shop: Shop, event_type: str) -> None:
    shop.put(new("lamp", "even"))
    shop.happens("bob", "i1", "view")
    assert evens(shop, of_user("bob", limit=3)) == 0
    # The more, the more it counts.
    for _ in range(3):
        shop.happens("bob", "lamp", event_type)
    found = document(answers(shop, of_user("bob", limit=9))[1])
    assert found["source"] == "fold_in"
    assert evens(shop, of_user("bob", limit=4)) >= 2
    assert ("lamp" in {item["item_id"] for item in found["items"]}) == (event_type == "view")


def test_it_alone_is_a_history_of_a_user_and_of_a_session(shop: Shop) -> None:
    shop.put(new("lamp", "even"))
    shop.happens("bob", "lamp", "view")
    session = pb.Question(
        number=1,
        tenant="shop",
        limit=3,
        budget_ms=1000,
        session=pb.SessionItems(item_ids=["lamp"]),
        generators=["for_you"],
    )
    for question in (of_user("bob", limit=3), session):
        assert document(answers(shop, question)[1])["source"] == "fold_in"
        assert evens(shop, question) >= 2


def test_it_is_the_reason_for_others(shop: Shop) -> None:
    shop.put(new("lamp", "even"))
    shop.happens("bob", "lamp", "view")
    question = of_user("bob", limit=3)
    plain = listed(shop, question)
    question.controls.MergeFrom(pb.Controls(explain=True))
    for item_id, item in listed(shop, question).items():
        assert item["reason"]["code"] == "because_you_viewed"
        assert item["reason"]["seeds"] == [{"item_id": "lamp", "title": "Lamp"}]
        parts = sum(item["score_parts"].values())
        assert parts == pytest.approx(plain[item_id]["score"], rel=1e-3)


def test_what_nothing_is_foreseen_of_says_nothing_of_who_views_it(shop: Shop) -> None:
    shop.put(new("vase", "unheard of"))
    before = listed(shop, of_user("bob", limit=3))
    shop.happens("bob", "vase", "view")
    assert listed(shop, of_user("bob", limit=3)) == before
    assert document(answers(shop, of_user("bob"))[1])["source"] == "popular"
    # Until its content says more.
    shop.put(new("vase", "even"))
    assert evens(shop, of_user("bob", limit=3)) >= 2


def test_one_that_came_while_a_request_was_under_way_is_nothing_yet(shop: Shop) -> None:
    """Its row is beyond all that was calculated for the model of the request."""
    serving = shop.follower.serving("shop")
    request = RecommendationRequest("shop", UserTarget("bob"), 3)
    before = Asked.of(serving, request, 1.0)
    shop.put(new("lamp", "even"))
    assert before.row_of("lamp") is None
    assert before.row_of("i1") == 1
    after = Asked.of(shop.follower.serving("shop"), request, 1.0)
    assert after.row_of("lamp") == N


def test_whoever_did_nothing_since_the_night_has_the_list_of_the_night(shop: Shop) -> None:
    before = listed(shop, of_user("ann"))
    shop.put(new("lamp", "even"))
    assert listed(shop, of_user("ann")) == before


def test_many_have_their_turn_one_refresh_after_the_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_module, "MAX_FORESEEN_AT_ONCE", 2)
    shop.live.write("shop", {f"new{n}": new(f"new{n}", "even") for n in range(5)})
    known = []
    for _ in range(4):
        shop.wait(shop.follower.refresh())
        known.append(len(shop.follower.serving("shop").now.newcomers.rows))
    assert known == [2, 4, 5, 5]
    number = shop.follower.serving("shop").catalogue_number
    shop.wait(shop.follower.refresh())
    assert shop.follower.serving("shop").catalogue_number == number


def test_a_catalogue_that_comes_as_a_whole_is_left_to_the_night(shop: Shop) -> None:
    shop.live.write("shop", {f"new{n}": new(f"new{n}", "even") for n in range(N + 1)})
    shop.wait(shop.follower.refresh())
    assert not len(shop.follower.serving("shop").now.newcomers.rows)


def test_what_arrived_long_ago_is_not_new(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    # The model's night was in January 1970, before which nothing arrives: so, later.
    monkeypatch.setattr(serving_module, "NEW_DAYS", -3000)
    shop.put(new("old", "even", created_ms=int(2999 * MS_PER_DAY)))
    shop.put(new("lamp", "even", created_ms=int(3001 * MS_PER_DAY)))
    shop.happens("bob", "i0")
    found = set(listed(shop, of_user("bob", limit=9)))
    assert "lamp" in found
    assert "old" not in found


def test_a_model_that_is_loaded_knows_those_that_came_before_it(shop: Shop) -> None:
    shop.put(new("lamp", "even"))
    shop.publish("v2")
    serving = shop.follower.serving("shop")
    assert serving.model.version == "v2"
    assert [serving.model.shown.id_of(row) for row in serving.now.newcomers.rows] == ["lamp"]
