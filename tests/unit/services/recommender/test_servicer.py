"""The unary RPCs, over stores in memory."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from recsys.core.domain import Event, Item
from recsys.core.errors import InvalidInput, NotSetUp
from recsys.rpc.v1 import recommender_pb2 as pb
from tests.unit.services.recommender.shop import Shop


class NoDeadline:
    """The context of a caller who set none."""

    def time_remaining(self) -> None:
        return None


class Rpc:
    """Asks the servicer as gRPC would."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop

    def recommend(self, user_id: str = "ann", limit: int = 2, tenant: str = "shop") -> pb.Answer:
        request = pb.RecommendForUserRequest(tenant=tenant, user_id=user_id, limit=limit)
        return self.shop.wait(self.shop.servicer.RecommendForUser(request, NoDeadline())).answer

    def similar(self, item_id: str, limit: int = 2) -> pb.Answer:
        request = pb.SimilarItemsRequest(tenant="shop", item_id=item_id, limit=limit)
        return self.shop.wait(self.shop.servicer.SimilarItems(request, NoDeadline())).answer

    def session(self, *item_ids: str, limit: int = 2) -> pb.Answer:
        request = pb.RecommendForSessionRequest(tenant="shop", item_ids=item_ids, limit=limit)
        return self.shop.wait(self.shop.servicer.RecommendForSession(request, NoDeadline())).answer


@pytest.fixture
def rpc() -> Iterator[Rpc]:
    with Shop() as shop:
        yield Rpc(shop)


def ids(answer: pb.Answer) -> list[str]:
    return [item.item_id for item in answer.items]


def test_a_known_user_gets_the_stored_list_with_titles(rpc: Rpc) -> None:
    answer = rpc.recommend()
    assert [(i.item_id, i.title, i.score) for i in answer.items] == [
        ("i3", "Item 3", 2.0),
        ("i1", "Item 1", 1.0),
    ]
    assert (answer.source, answer.model_version, answer.degraded) == (pb.SOURCE_STORED, "v1", False)


def test_an_unknown_user_gets_popular_items_without_scores(rpc: Rpc) -> None:
    answer = rpc.recommend("nobody")
    assert ids(answer) == ["i5", "i4"]
    assert answer.source == pb.SOURCE_POPULAR
    assert not answer.items[0].HasField("score")


def test_an_event_changes_the_next_answer(rpc: Rpc) -> None:
    rpc.shop.happens("ann", "i3")
    answer = rpc.recommend(limit=3)
    assert answer.source == pb.SOURCE_FOLD_IN
    assert "i3" not in ids(answer)


def test_when_users_cannot_be_read_the_answer_is_popular_and_says_so(rpc: Rpc) -> None:
    rpc.shop.store.away = True
    answer = rpc.recommend()
    assert ids(answer) == ["i5", "i4"]
    assert answer.degraded


def test_similar_items_are_neighbours(rpc: Rpc) -> None:
    answer = rpc.similar("i0")
    assert (ids(answer), answer.source) == (["i1", "i2"], pb.SOURCE_NEIGHBOURS)


def test_an_unknown_item_is_answered_with_popular_ones(rpc: Rpc) -> None:
    answer = rpc.similar("never heard of")
    assert (ids(answer), answer.source) == (["i5", "i4"], pb.SOURCE_POPULAR)


@pytest.mark.parametrize("limit", [0, 101, 10**9])
def test_a_limit_out_of_range_is_refused_by_name(rpc: Rpc, limit: int) -> None:
    with pytest.raises(InvalidInput, match="limit"):
        rpc.recommend(limit=limit)


def test_a_bad_id_is_refused_by_name(rpc: Rpc) -> None:
    with pytest.raises(InvalidInput, match="user_id"):
        rpc.recommend(user_id="")
    with pytest.raises(InvalidInput, match="item_id"):
        rpc.similar("a\0b")


def test_of_another_tenant_it_says_what_is_to_be_done(rpc: Rpc) -> None:
    with pytest.raises(NotSetUp, match="does not serve tenant othershop: add it to RECSYS_TENANTS"):
        rpc.recommend(tenant="othershop")


def test_a_session_is_answered_from_its_items_and_none_of_them_comes_back(rpc: Rpc) -> None:
    answer = rpc.session("i1", "i2", limit=6)
    assert answer.source == pb.SOURCE_FOLD_IN
    assert sorted(ids(answer)) == ["i0", "i3", "i4", "i5"]


def test_a_session_of_unknown_items_gets_popular_ones(rpc: Rpc) -> None:
    answer = rpc.session("never", "heard", limit=2)
    assert (ids(answer), answer.source) == (["i5", "i4"], pb.SOURCE_POPULAR)


@pytest.mark.parametrize("item_ids", [[], ["i1"] * 101, ["i1", ""]])
def test_a_session_of_no_too_many_or_bad_items_is_refused(rpc: Rpc, item_ids: list[str]) -> None:
    with pytest.raises(InvalidInput, match="item_ids"):
        rpc.session(*item_ids)


def test_wishes_are_answered_as_those_of_a_stream(rpc: Rpc) -> None:
    rpc.shop.put(Item("i2", title="Two", price=5.0))
    rpc.shop.put(Item("new", price=5.5))
    wishes: dict[str, Any] = {"filter": "price < 6", "generators": ["for_you", "new"], "limit": 5}
    request = pb.RecommendRequest(tenant="shop", user_id="ann", **wishes)
    question = pb.Question(tenant="shop", user_id="ann", budget_ms=1000, **wishes)
    shop = rpc.shop
    message = shop.wait(shop.servicer.Recommend(request, NoDeadline())).answer
    [rendered], _ = shop.wait(shop.answers.to([question]))
    items = json.loads(rendered.json + b"}")["items"]
    assert [
        (i.item_id, i.title or None, i.price, pb.Source.Name(i.source)) for i in message.items
    ] == [(i["item_id"], i["title"], i["price"], f"SOURCE_{i['source'].upper()}") for i in items]
    assert ids(message) == ["i2", "new"]
    assert message.source == rendered.source == pb.SOURCE_FOLD_IN


def test_an_explained_answer_is_the_same_by_grpc_and_by_a_stream(rpc: Rpc) -> None:
    asked = {"tenant": "shop", "user_id": "ann", "limit": 4, "controls": pb.Controls(explain=True)}
    request = pb.RecommendRequest(generators=["for_you", "popular"], **asked)
    answer = rpc.shop.wait(rpc.shop.servicer.Recommend(request, NoDeadline())).answer
    question = pb.Question(number=1, generators=["for_you", "popular"], **asked)
    [written], _ = rpc.shop.wait(rpc.shop.answers.to([question]))
    document = json.loads(written.json + b"}")
    assert document["fallback_level"] == answer.fallback_level == 1
    for item, entry in zip(document["items"], answer.items, strict=True):
        assert item["reason"]["code"] == entry.reason.code
        seeds = [(seed["item_id"], seed["title"]) for seed in item["reason"]["seeds"]]
        assert seeds == [(seed.item_id, seed.title) for seed in entry.reason.seeds]
        assert item["score_parts"] == pytest.approx(dict(entry.score_parts), rel=1e-6)
        assert sum(item["score_parts"].values()) == pytest.approx(item["score"] or 0, rel=1e-5)
    assert document["items"][0]["reason"]["seeds"] == [{"item_id": "i0", "title": "Item 0"}]


def test_each_answer_has_an_id_of_its_own_and_the_time_it_took(rpc: Rpc) -> None:
    first, second = rpc.recommend(), rpc.recommend()
    assert len(first.recommendation_id) == len(second.recommendation_id) == 16
    assert first.recommendation_id != second.recommendation_id
    assert first.took_ms > 0


def page(rpc: Rpc, *requests: pb.RecommendRequest, **wishes: Any) -> list[list[str]]:
    request = pb.RecommendPageRequest(tenant="shop", requests=requests, **wishes)
    answers = rpc.shop.wait(rpc.shop.servicer.RecommendPage(request, NoDeadline())).answers
    return [ids(answer) for answer in answers]


def test_a_page_shows_no_item_twice(rpc: Rpc) -> None:
    bestsellers = pb.RecommendRequest(limit=2, generators=["popular"])
    bestsellers.session.SetInParent()
    # What another shop is named in a request changes nothing.
    for_ann = pb.RecommendRequest(tenant="other", user_id="ann", limit=3)
    first, for_ann_only, last = page(rpc, bestsellers, for_ann, bestsellers)
    assert (first, last) == (["i5", "i4"], ["i0"])
    # Who bought i0.
    assert sorted(for_ann_only) == ["i1", "i2", "i3"]
    assert page(rpc, bestsellers, bestsellers, repeats_allowed=True) == [["i5", "i4"]] * 2


def test_a_page_is_for_its_user_who_looks_at_the_rest_of_it(rpc: Rpc) -> None:
    rpc.shop.happens("bob", "i1", "view")
    own = pb.RecommendRequest(limit=9, generators=["for_you"])
    beside = pb.RecommendRequest(limit=9, generators=["popular"], item_id="i0")
    whole, expected = page(rpc, beside)[0], page(rpc, pb.RecommendRequest(user_id="bob", limit=9))
    assert page(rpc, own, beside, user_id="bob", repeats_allowed=True) == [expected[0], whole]
    now_ms = time.time_ns() // 1_000_000
    seen = Event("seen", "bob", "i4", "view", timestamp_ms=now_ms)
    rpc.shop.recent.record("shop", [seen], received_ms=now_ms)
    unseen = pb.RecommendRequest()
    unseen.CopyFrom(beside)
    unseen.controls.exclude_seen_days = 1
    assert page(rpc, unseen) == [whole]
    [others] = page(rpc, unseen, user_id="bob")
    assert set(whole) - set(others) == {"i4"}
    unseen.visitor_id = "cat"
    assert page(rpc, unseen, user_id="bob") == [whole]
    for_ann = pb.RecommendRequest(limit=9, user_id="ann")
    assert page(rpc, for_ann, user_id="bob") == page(rpc, for_ann)
    with pytest.raises(InvalidInput, match=r"^user_id: "):
        page(rpc, beside, user_id="a\0")


def test_a_page_with_a_fault_names_the_request(rpc: Rpc) -> None:
    good = pb.RecommendRequest(user_id="ann", limit=1)
    with pytest.raises(InvalidInput, match=r"requests\.1\.limit.*requests\.2\.filter"):
        page(
            rpc,
            good,
            pb.RecommendRequest(user_id="ann"),
            pb.RecommendRequest(user_id="ann", limit=1, filter="x"),
        )
    crowded = pb.RecommendRequest(
        user_id="ann", limit=1, excluded_item_ids=[f"{n}" for n in range(1000)]
    )
    assert page(rpc, crowded, crowded, repeats_allowed=True)
    with pytest.raises(InvalidInput, match=r"requests\.1\.exclude_item_ids: with 1 item of"):
        page(rpc, crowded, crowded)
    with pytest.raises(InvalidInput, match=r"requests\.0\.generators: 'nice' is not"):
        page(rpc, pb.RecommendRequest(user_id="ann", limit=1, generators=["nice"]))
    for requests in ([], [good] * 11):
        with pytest.raises(InvalidInput, match="requests"):
            page(rpc, *requests)


def test_items_are_put_in_order_by_grpc_and_by_a_stream_alike(rpc: Rpc) -> None:
    shop, given = rpc.shop, ["i0", "ghost", "i4", "i1", "i0", 'odd "one"', "i3"]
    shop.happens("ann", "i4", "view")
    shop.hide("i3")
    for about in ({"user_id": "ann"}, {"session": pb.SessionItems(item_ids=["i4"])}):
        request = pb.RerankItemsRequest(tenant="shop", reranked_item_ids=given, **about)
        found = shop.wait(shop.servicer.RerankItems(request, NoDeadline()))
        # Bought, viewed and hidden ones are there, too.
        assert sorted(found.ranked_item_ids[:4]) == ["i0", "i1", "i3", "i4"]
        assert list(found.ranked_item_ids[4:]) == list(found.unknown) == ["ghost", 'odd "one"']
        question = pb.Question(
            tenant="shop", limit=1, budget_ms=1000, reranked_item_ids=given, **about
        )
        [rendered], _ = shop.wait(shop.answers.to([question]))
        assert json.loads(rendered.json + b"}") == {
            "item_ids": list(found.ranked_item_ids),
            "unknown": list(found.unknown),
            "model_version": "v1",
            "degraded": False,
        }
    # The list of the same user is what it was.
    assert rpc.recommend().items


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({"user_id": "ann"}, "item_ids"),
        ({"reranked_item_ids": ["a"]}, "about"),
        ({"user_id": "ann", "reranked_item_ids": ["a"] * 501}, "item_ids"),
        ({"user_id": "ann", "reranked_item_ids": ["a", ""]}, r"item_ids\[1\]"),
    ],
)
def test_what_cannot_be_put_in_order_is_refused(
    rpc: Rpc, wishes: dict[str, Any], field: str
) -> None:
    request = pb.RerankItemsRequest(tenant="shop", **wishes)
    with pytest.raises(InvalidInput, match=field):
        rpc.shop.wait(rpc.shop.servicer.RerankItems(request, NoDeadline()))


def test_what_is_due_is_bought_again(rpc: Rpc) -> None:
    request = pb.RecommendRequest(tenant="shop", user_id="ann", limit=2)
    request.generators.extend(["buy_again", "for_you"])
    request.controls.explain = True
    answer = rpc.shop.wait(rpc.shop.servicer.Recommend(request, NoDeadline())).answer
    assert [(item.item_id, item.source) for item in answer.items] == [
        ("i0", pb.SOURCE_BUY_AGAIN),
        ("i3", pb.SOURCE_STORED),
    ]
    assert answer.items[0].reason.code == "buy_again"
    assert answer.items[0].score_parts["buy_again"] == pytest.approx(answer.items[0].score)
