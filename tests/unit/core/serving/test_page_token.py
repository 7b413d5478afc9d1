"""Page tokens: what comes back is what was shown, and nothing else is taken for one."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.domain import identifier_problem
from recsys.core.errors import InvalidInput
from recsys.core.limits import MAX_PAGE_TOKEN_CHARACTERS, MAX_PAGED_ITEMS
from recsys.core.serving.page_token import page_token, shown_before
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    SessionTarget,
    UserTarget,
)

ANN = RecommendationRequest("shop", UserTarget("ann"), 2)
IDS = st.text(min_size=1, max_size=20).filter(lambda text: identifier_problem(text) is None)


@given(st.lists(IDS, min_size=1, max_size=50), st.text(st.characters(codec="utf-8")))
def test_a_token_holds_the_ids_in_their_order(ids: list[str], request: str) -> None:
    assert shown_before(page_token(ids, request), request) == tuple(ids)


@given(st.text(max_size=100))
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="page_token"):
        shown_before(text, "request")


@given(st.data())
def test_a_changed_character_is_noticed(data: st.DataObject) -> None:
    token = page_token(["lamp", "rug", "chair"], "request")
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidInput):
        shown_before(base64.urlsafe_b64encode(raw).decode().rstrip("="), "request")


def test_pages_go_on_from_the_first_to_the_last() -> None:
    second = RecommendationRequest(
        "shop", UserTarget("ann"), 2, page_token=ANN.next_page_token(["a", "b"])
    )
    assert second.withheld_item_ids == ("a", "b")
    third = RecommendationRequest(
        "shop", UserTarget("ann"), 2, page_token=second.next_page_token(["c", "d"])
    )
    assert third.withheld_item_ids == ("a", "b", "c", "d")
    assert third.next_page_token(["e"]) == ""


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "other"},
        {"target": UserTarget("bob")},
        {"target": ItemTarget("ann")},
        {"target": SessionTarget(("ann",))},
        {"filter": "price < 5"},
        {"placement": ("popular",)},
    ],
)
def test_a_token_of_another_request_is_refused(other: dict[str, object]) -> None:
    fields = {"tenant": "shop", "target": UserTarget("ann"), "limit": 2} | other
    with pytest.raises(InvalidInput, match="of a request for something else"):
        RecommendationRequest(**fields, page_token=ANN.next_page_token(["a", "b"]))  # type: ignore[arg-type]


def test_a_list_ends_where_a_token_would_grow_too_long() -> None:
    assert page_token([f"i{n}" for n in range(MAX_PAGED_ITEMS)], "request") == ""
    longest = page_token(["x" * 36] * (MAX_PAGED_ITEMS - 1), "request")
    assert 0 < len(longest) <= MAX_PAGE_TOKEN_CHARACTERS
    assert page_token(["x" * 256] * 200, "request") == ""
