"""Pages of the demo shop: what a shopper sees, does, and gets wrong."""

import re

import httpx
import pytest

from services.storefront.basket import MAX_QUANTITY, Basket, Line
from tests.unit.services.storefront.browser import Browser
from tests.unit.services.storefront.stub_api import RECOMMENDATION_ID, SLASHED, StubApi

PAGES = (
    "/shop",
    "/shop/departments/baking",
    "/shop/search?q=heart",
    "/shop/items/22423",
    "/shop/basket",
    "/shop/checkout",
    "/shop/thanks",
    "/shop/sign-in",
    "/shop/operator",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_comes_with_landmarks_a_strict_policy_and_no_inline_script_or_style(
    shopper: Browser, path: str
) -> None:
    page = shopper.get(path)
    assert page.status_code == 200, page.text
    for landmark in ('<main id="main"', "<header>", 'role="search"', 'class="skip"', "<h1"):
        assert landmark in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_head_as_get(shopper: Browser, path: str) -> None:
    page = shopper.send("HEAD", path)
    assert page.status_code == 200
    assert page.headers["Content-Type"] == shopper.get(path).headers["Content-Type"]


def test_the_operator_is_not_asked_what_shoppers_are(shopper: Browser) -> None:
    for path in PAGES:
        assert ("Until you say yes" in shopper.get(path).text) == (path != "/shop/operator")


@pytest.mark.parametrize("item_id", ["gone", "not-yet", "no-longer"])
def test_what_is_not_on_offer_cannot_be_bought(shopper: Browser, item_id: str) -> None:
    page = shopper.get(f"/shop/items/{item_id}").text
    assert "Not on offer at the moment" in page
    assert "Add to basket" not in page


def _order(shopper: Browser, order_id: str) -> httpx.Response:
    """Order what the checkout shows."""
    return shopper.post("/shop/checkout", {"order_id": order_id, "lines": _digest(shopper)})


def _digest(shopper: Browser) -> str:
    """What stands for the lines that the checkout shows."""
    [digest] = re.findall(r'name="lines" value="(\w+)"', shopper.get("/shop/checkout").text)
    return digest


def _no_longer_offer(stub: StubApi, item_id: str, how: str) -> None:
    """Let an item be as an unlisted one is, or not be at all."""
    [now] = [each for each in stub.unlisted if each["item_id"] == how] or [None]
    kept = [each for each in stub.items if each["item_id"] != item_id]
    stub.items = [*kept, *([{**now, "item_id": item_id}] if now else [])]


@pytest.mark.parametrize("how", ["gone", "not-yet", "no-longer", "removed"])
def test_what_is_not_on_offer_any_more_stays_in_the_basket_and_says_so_but_is_not_ordered(
    consenting: Browser, stub: StubApi, how: str
) -> None:
    consenting.post("/shop/basket", {"item_id": "22423"})
    consenting.post("/shop/basket", {"item_id": "85123A"})
    _no_longer_offer(stub, "22423", how)
    basket = consenting.get("/shop/basket").text
    assert "Basket <b>2</b>" in basket
    assert basket.count("Not on offer at the moment") == 1
    assert "22423" not in consenting.get("/shop/checkout").text
    _order(consenting, "o1")
    assert [event["item_id"] for event in stub.events] == ["85123A"]
    left = consenting.get("/shop/basket").text
    assert "Basket <b>1</b>" in left
    assert "To the checkout" not in left
    assert "Nothing in your basket is on offer" in consenting.get("/shop/checkout").text
    assert consenting.post("/shop/checkout", {"order_id": "o2"}).status_code == 400
    removed = consenting.post("/shop/basket/remove", {"item_id": "22423"})
    assert "Your basket is empty" in removed.text


def test_a_list_names_each_reason_and_its_model_source_placement_and_time(
    shopper: Browser,
) -> None:
    text = shopper.get("/shop").text
    assert text.count("Because you bought red mug") == 3 * 3
    assert "experiment <b>mixed</b>: other" in text
    for about in ("<b>home</b>", "<b>fold_in</b>", "<b>20111210T020000Z</b>", "<b>1.4 ms</b>"):
        assert about in text


def test_a_link_of_a_list_carries_the_recommendation_to_the_order(
    consenting: Browser, stub: StubApi
) -> None:
    link = f"/shop/items/22423?via=home.{RECOMMENDATION_ID}"
    assert link in consenting.get("/shop").text
    assert f'name="via" value="home.{RECOMMENDATION_ID}"' in consenting.get(link).text
    consenting.post(
        "/shop/basket",
        {"item_id": "22423", "quantity": "2", "via": f"home.{RECOMMENDATION_ID}"},
    )
    assert "£25.50" in consenting.get("/shop/checkout").text
    consenting.post("/shop/basket", {"item_id": "85123A"})
    thanks = _order(consenting, "o1")
    assert "Thank you" in thanks.text
    cakestand, heart = stub.events
    visitor = consenting.cookies["shop_visitor"]
    assert cakestand == {
        "event_id": "o1-1",
        "user_id": visitor,
        "item_id": "22423",
        "event_type": "purchase",
        "quantity": 2,
        "price": 12.75,
        "order_id": "o1",
        "context": {"placement": "home", "recommendation_id": RECOMMENDATION_ID},
    }
    assert heart["order_id"] == "o1"
    assert heart["context"] == {}
    assert "Your basket is empty" in consenting.get("/shop/basket").text


def test_what_is_seen_is_told_with_the_variant_that_was_shown(shopper: Browser) -> None:
    cards = re.findall(
        r'<li class="card"[^>]*data-placement="home"[^>]*>', shopper.get("/shop").text
    )
    assert cards
    assert all('data-experiment="mixed" data-variant="other"' in card for card in cards)
    others = re.findall(r'data-placement="trending"[^>]*>', shopper.get("/shop").text)
    assert not any("data-experiment" in card for card in others)


def test_a_heading_that_promises_a_kind_has_no_items_of_another(
    consenting: Browser, stub: StubApi
) -> None:
    kinds = {"buy_again": "Time for more", "recently_viewed": "Recently viewed"}
    for kind, heading in kinds.items():
        stub.source = "popular"
        assert heading not in consenting.get("/shop").text
        stub.source = kind
        assert heading in consenting.get("/shop").text


def test_lists_beside_an_item_and_a_basket_are_of_the_variant_of_who_looks(
    consenting: Browser, stub: StubApi
) -> None:
    visitor = consenting.cookies["shop_visitor"]
    consenting.get("/shop/items/22423")
    consenting.post("/shop/basket", {"item_id": "22423"})
    pages = [body["requests"] for path, body in stub.asked if path == "/v1/placements:recommend"]
    asked = [
        each for page in pages for each in page if each["placement"] in ("basket", "product_page")
    ]
    assert len(asked) == 3
    assert {each["visitor_id"] for each in asked} == {visitor}


def test_nothing_is_sent_and_nobody_has_an_id_before_consent(
    shopper: Browser, stub: StubApi
) -> None:
    page = shopper.get("/shop").text
    assert "Until you say yes" in page
    assert "data-key" not in page
    shopper.post("/shop/basket", {"item_id": "22423"})
    _order(shopper, "o1")
    assert stub.events == []
    assert not any("user_id" in body for _, body in stub.asked)
    assert set(shopper.cookies) == {"shop_basket"}


def test_consent_gives_the_page_a_key_and_a_token_and_can_be_withdrawn(
    consenting: Browser,
) -> None:
    page = consenting.get("/shop").text
    assert 'data-key="rk_2_public"' in page
    assert re.search(r'data-token="\w+\.\w+\.[\w-]+"', page)
    assert "rk_1_server" not in page
    assert "a" * 64 not in page
    consenting.post("/shop/consent", {"answer": "no", "next": "/shop"})
    assert "data-key" not in consenting.get("/shop").text
    assert "shop_visitor" not in consenting.cookies


def test_a_second_yes_as_of_another_tab_is_of_the_same_visitor(consenting: Browser) -> None:
    visitor = consenting.cookies["shop_visitor"]
    consenting.post("/shop/consent", {"answer": "yes", "next": "/shop"})
    assert consenting.cookies["shop_visitor"] == visitor
    consenting.post("/shop/consent", {"answer": "no", "next": "/shop"})
    consenting.post("/shop/consent", {"answer": "yes", "next": "/shop"})
    assert consenting.cookies["shop_visitor"] != visitor


def test_signing_in_asks_for_that_customer_and_signing_out_for_nobody(
    shopper: Browser, stub: StubApi
) -> None:
    page = shopper.post("/shop/sign-in", {"customer_id": "größe/1"})
    assert "Welcome back, customer größe/1" in page.text
    assert stub.asked[-1][1]["user_id"] == "größe/1"
    shopper.post("/shop/sign-out", {})
    assert "user_id" not in stub.asked[-1][1]


def test_the_basket_keeps_what_was_put_in_and_asks_for_what_goes_with_it(
    shopper: Browser, stub: StubApi
) -> None:
    for quantity in ("60", "39"):
        shopper.post("/shop/basket", {"item_id": "85123A", "quantity": quantity})
    more = shopper.post("/shop/basket", {"item_id": "85123A"})
    assert more.status_code == 400
    assert f"{MAX_QUANTITY} pieces of one product at most" in more.text
    [(_, asked)] = [call for call in stub.asked if "session_item_ids" in str(call)][-1:]
    assert asked["requests"][0]["session_item_ids"] == ["85123A"]
    page = shopper.get("/shop/basket").text
    assert f"<td>{MAX_QUANTITY}</td>" in page
    removed = shopper.post("/shop/basket/remove", {"item_id": "85123A"})
    assert "Your basket is empty" in removed.text


def test_search_finds_all_words_in_titles_and_reads_prices_afresh(
    shopper: Browser, stub: StubApi
) -> None:
    page = shopper.get("/shop/search?q=HEART+white").text
    assert "1 product," in page
    assert "WHITE HANGING HEART" in page
    assert "REGENCY" not in page
    assert ("/v1/items/85123A", {}) in stub.asked
    assert "0 products" in shopper.get("/shop/search?q=heart+cake").text
    assert "REGENCY" in shopper.get("/shop/search?q=22423").text


def test_a_department_lists_its_products_in_the_order_of_the_shopper(
    consenting: Browser, stub: StubApi
) -> None:
    page = consenting.get("/shop/departments/baking").text
    assert "2 products, in your order by model <b>v1</b>" in page
    assert page.index("CAKE&lt;/b&gt;") < page.index("REGENCY")
    assert [path for path, _ in stub.asked].count("/v1/items:rerank") == 1


def test_text_of_the_catalogue_is_text_and_no_markup(shopper: Browser) -> None:
    item_id = SLASHED["item_id"]
    assert "<b>CAKE" not in shopper.get("/shop").text
    link = re.search(r'href="(/shop/items/a[^"?]*)', shopper.get("/shop").text)
    assert link
    page = shopper.get(link[1]).text
    assert "&lt;b&gt;CAKE&lt;/b&gt; &amp; TIN" in page
    assert "no price" in page
    assert f"Item {item_id.replace('<&>', '&lt;&amp;&gt;')}" in page
    assert "<script>" not in shopper.get("/shop/search?q=%3Cscript%3Ex").text


@pytest.mark.parametrize(
    "path",
    [
        "/shop/items/nothing",
        "/shop/items/",
        "/shop/items/%00",
        f"/shop/items/{'x' * 300}",
        "/shop/departments/nothing",
        "/shop/departments/baking?page=2",
        "/shop/search?q=heart&page=999",
        "/shop/nothing",
        "/shop/static/nothing.css",
        "/shop/static/..%2Fapp.py",
        "/elsewhere",
    ],
)
def test_what_there_is_not_is_a_page_that_says_so(shopper: Browser, path: str) -> None:
    page = shopper.get(path)
    assert page.status_code == 404
    assert "<h1>Not found</h1>" in page.text


@pytest.mark.parametrize(
    "path",
    ["/shop/search?q=" + "x" * 101, "/shop/search?q=heart&page=0", "/shop/search?q=a&page=x"],
)
def test_an_address_that_makes_no_sense_is_a_page_that_says_so(shopper: Browser, path: str) -> None:
    page = shopper.get(path)
    assert page.status_code == 400
    assert 'role="alert"' in page.text


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/shop/basket", {}, 400),
        ("/shop/basket", {"item_id": "\0"}, 400),
        ("/shop/basket", {"item_id": "22423", "quantity": "0"}, 400),
        ("/shop/basket", {"item_id": "22423", "quantity": "100"}, 400),
        ("/shop/basket", {"item_id": "22423", "quantity": "½"}, 400),
        ("/shop/basket", {"item_id": "nothing"}, 404),
        ("/shop/basket", {"item_id": "gone"}, 404),
        ("/shop/basket", {"item_id": "not-yet"}, 404),
        ("/shop/basket", {"item_id": "no-longer"}, 404),
        ("/shop/basket", {"item_id": "x" * 20_000}, 413),
        ("/shop/basket/remove", {}, 400),
        ("/shop/checkout", {}, 400),
        ("/shop/checkout", {"order_id": "o1"}, 400),
        ("/shop/consent", {"answer": "maybe"}, 400),
        ("/shop/sign-in", {"customer_id": " "}, 400),
        ("/shop/sign-in", {"customer_id": "x" * 257}, 400),
        ("/shop/sign-in", {f"field{n}": "x" for n in range(30)}, 400),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(
    shopper: Browser, path: str, form: dict[str, str], status: int
) -> None:
    page = shopper.post(path, form)
    assert page.status_code == status, page.text
    assert 'role="alert"' in page.text


def test_a_form_of_bytes_that_are_no_text_is_refused(shopper: Browser) -> None:
    for body in (b"\xff\xfe", b"item_id=%ff", b"--multipart"):
        assert shopper.send("POST", "/shop/basket", body).status_code == 400


def test_a_method_that_a_page_does_not_have_is_refused_with_those_that_it_has(
    shopper: Browser,
) -> None:
    page = shopper.send("DELETE", "/shop")
    assert page.status_code == 405
    assert page.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/shopping", "/shop\r\nX: y", "/shop\\x", ""],
)
def test_consent_leads_back_to_the_shop_only(shopper: Browser, target: str) -> None:
    answer = shopper.post("/shop/consent", {"answer": "no", "next": target}, follow=False)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/shop"


def test_consent_leads_back_to_where_it_was_asked(shopper: Browser) -> None:
    back = re.search(r'name="next" value="([^"]+)"', shopper.get("/shop/search?q=a+b").text)
    assert back
    answer = shopper.post("/shop/consent", {"answer": "no", "next": back[1]}, follow=False)
    assert answer.headers["Location"] == "/shop/search?q=a+b"


@pytest.mark.parametrize("failing", [503, 429, 500, httpx.ConnectTimeout("slow")])
def test_without_recommendations_a_page_comes_and_says_so(
    shopper: Browser, stub: StubApi, failing: int | Exception
) -> None:
    stub.failing = failing
    home = shopper.get("/shop")
    assert home.status_code == 200
    assert "Recommendations are not available" in home.text
    product = shopper.get("/shop/items/22423")
    assert product.status_code == 503
    assert product.headers["Retry-After"] == "1"
    assert "do not respond" in product.text


def test_an_order_that_could_not_be_recorded_stays_in_the_basket(
    consenting: Browser, stub: StubApi
) -> None:
    consenting.post("/shop/basket", {"item_id": "22423"})
    digest = _digest(consenting)
    stub.failing = 503
    form = {"order_id": "o1", "lines": digest}
    assert consenting.post("/shop/checkout", form).status_code == 503
    stub.failing = None
    assert "REGENCY" in consenting.get("/shop/basket").text


@pytest.mark.parametrize("change", ["another line", "a price"])
def test_nothing_is_ordered_that_the_checkout_did_not_show(
    consenting: Browser, stub: StubApi, change: str
) -> None:
    consenting.post("/shop/basket", {"item_id": "22423"})
    digest = _digest(consenting)
    if change == "a price":
        stub.items[0] = {**stub.items[0], "price": 99.5}
    else:
        consenting.post("/shop/basket", {"item_id": "85123A"})
    page = consenting.post("/shop/checkout", {"order_id": "o1", "lines": digest})
    assert page.status_code == 409
    assert "Please look again" in page.text
    assert stub.events == []
    assert "Thank you" in _order(consenting, "o2").text
    assert {event["order_id"] for event in stub.events} == {"o2"}


def test_a_placement_that_the_shop_does_not_have_leaves_the_page_without_lists(
    shopper: Browser, stub: StubApi
) -> None:
    stub.failing = 422
    page = shopper.get("/shop")
    assert page.status_code == 200
    assert "Recommendations are not available" in page.text


@pytest.mark.parametrize("cookie", ["", "x", "%%%", "W10", "bnVsbA", "W1sxLDIsM11d", "A" * 5000])
def test_cookies_that_are_made_up_are_nobodys(shopper: Browser, cookie: str) -> None:
    for name in ("shop_consent", "shop_visitor", "shop_customer", "shop_basket"):
        shopper.cookies.set(name, cookie)
    page = shopper.get("/shop/basket")
    assert page.status_code == 200
    assert "Your basket is empty" in page.text
    assert "data-key" not in page.text


def test_a_full_basket_says_so(shopper: Browser, stub: StubApi) -> None:
    stub.items = [{**SLASHED, "item_id": f"{n}"} for n in range(31)]
    for n in range(30):
        assert shopper.post("/shop/basket", {"item_id": f"{n}"}).status_code == 200
    full = shopper.post("/shop/basket", {"item_id": "30"})
    assert full.status_code == 400
    assert "basket is full" in full.text


def test_a_basket_counts_pieces() -> None:
    assert len(Basket({"a": Line("a", 2), "b": Line("b", 3)})) == 5
