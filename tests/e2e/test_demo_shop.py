"""A shopper's visit to the demo shop, in a real browser on the whole stack."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from recsys.core.domain import Event
from tests.browser import chromium
from tests.e2e.shop import Shop
from tests.eventually import eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Request, Route

_WIDTHS = {"phone": 390, "desktop": 1200}


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with chromium() as browser:
        yield browser


def takes_events(shop: Shop) -> bool:
    """Whether events are stored, and seen by the next answer, whichever gateway takes them."""
    event = {"user_id": "before-a-visit", "item_id": "22423", "event_type": "view"}
    with shop.client() as api:
        answers = [api.post("/v1/events", json={"events": [event]}) for _ in range(10)]
    return all(one.status_code == 200 and not one.json()["degraded"] for one in answers)


class Visit:
    """A page of a browser at the shop, and what went wrong in it."""

    def __init__(self, shop: Shop, browser: "Browser", **options: object) -> None:
        self.shop = shop
        self.context = browser.new_context(base_url=shop.stack.settings.url, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.problems: list[str] = []
        self.event_requests: list[str] = []
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.context.on("request", self._note_request)

    def go(self, path: str) -> None:
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button).first.click()
        self.page.wait_for_load_state()

    def consent(self) -> str:
        """Allow events; the visitor's id."""
        self.press("Yes, recommend for me")
        [visitor] = [
            cookie["value"] for cookie in self.context.cookies() if cookie["name"] == "shop_visitor"
        ]
        return visitor

    def shelf(self, heading: str) -> "Locator":
        return self.page.get_by_role("region", name=heading)

    def items(self, heading: str) -> list[str]:
        cards = self.shelf(heading).locator(".card")
        return [card.get_attribute("data-item") or "" for card in cards.all()]

    def events(self, user_id: str, event_type: str) -> list[Event]:
        return [e for e in self.shop.stored_events(user_id) if e.event_type == event_type]

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(text)

    def _note_request(self, request: "Request") -> None:
        if "/v1/events" in request.url:
            self.event_requests.append(request.url)


@pytest.fixture
def visit(shop: Shop, browser: "Browser") -> Iterator[Visit]:
    # Tests that ran before may have ended ingest or a store: the next list would know of no event.
    eventually(lambda: takes_events(shop), within_seconds=60)
    visit = Visit(shop, browser)
    yield visit
    visit.context.close()
    assert visit.problems == []


def test_a_visit_from_the_first_look_to_the_order_changes_the_next_list(visit: Visit) -> None:
    visit.go("/shop")
    visitor = visit.consent()
    before = visit.items("For you")
    assert "source popular" in visit.shelf("For you").inner_text()

    card = visit.shelf("For you").locator(".card").first
    item_id = before[0]
    recommendation_id = card.get_attribute("data-recommendation")
    card.get_by_role("link").click()
    visit.page.wait_for_url("**/shop/items/**")
    context = {"placement": "home", "recommendation_id": recommendation_id}
    for event_type in ("click", "view"):
        eventually(lambda kind=event_type: visit.events(visitor, kind))
        [event] = visit.events(visitor, event_type)
        assert (event.item_id, event.context) == (item_id, context)
    eventually(lambda: item_id in {seen.item_id for seen in visit.events(visitor, "impression")})
    assert visit.shelf("Goes well with it").locator(".reason").count() > 0

    visit.go("/shop")
    assert "source fold_in" in visit.shelf("For you").inner_text()
    assert visit.items("For you") != before
    assert item_id in visit.items("Recently viewed")

    visit.page.go_back()
    visit.page.get_by_label("Quantity").fill("3")
    visit.press("Add to basket")
    assert visit.page.get_by_role("link", name="Basket 3").is_visible()
    eventually(lambda: visit.events(visitor, "add_to_cart"))
    assert item_id not in visit.items("Goes well with your basket")
    assert visit.shelf("Goes well with your basket").locator(".card").count() > 0

    visit.page.get_by_role("link", name="To the checkout").click()
    visit.press("Place the order")
    assert visit.page.get_by_role("heading", name="Thank you").is_visible()
    [bought] = visit.events(visitor, "purchase")
    assert (bought.item_id, bought.quantity, bought.context) == (item_id, 3, context)
    assert bought.order_id
    assert item_id not in visit.items("Your next find")


def test_nothing_is_sent_before_consent_nor_after_a_no(visit: Visit) -> None:
    visit.go("/shop")
    visit.page.locator(".card a").first.click()
    visit.page.wait_for_url("**/shop/items/**")
    visit.press("No")
    visit.press("Add to basket")
    visit.page.get_by_role("link", name="To the checkout").click()
    visit.press("Place the order")
    visit.go("/shop")
    assert visit.event_requests == []
    assert "For you" not in visit.page.content()


def test_a_consent_that_is_withdrawn_in_one_tab_ends_the_others(visit: Visit) -> None:
    visit.go("/shop")
    visitor = visit.consent()
    other = visit.context.new_page()
    other.goto("/shop")
    with other.expect_navigation():
        other.get_by_role("button", name="Withdraw consent").click()
    visit.event_requests.clear()
    visit.page.locator(".card a").first.click()
    visit.page.wait_for_url("**/shop/items/**")
    visit.page.wait_for_load_state("networkidle")
    assert visit.event_requests == []
    # Impressions from before may still be on their way.
    assert visit.events(visitor, "click") == []
    assert visit.events(visitor, "view") == []


def test_what_waits_to_be_sent_is_forgotten_with_the_consent(visit: Visit) -> None:
    # Impressions wait for a second, which does not pass here.
    visit.context.clock.install(time=0)
    visit.context.clock.pause_at(1)
    visit.go("/shop")
    visitor = visit.consent()
    eventually(lambda: visit.page.evaluate("sessionStorage.length") == 1)
    with visit.page.expect_navigation():
        visit.page.get_by_role("button", name="Withdraw consent").click()
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.evaluate("sessionStorage.length") == 0
    # Of what a page sends while it goes no browser tells; the event of the shop comes after it.
    event = {"user_id": visitor, "item_id": "22423", "event_type": "view"}
    with visit.shop.client() as api:
        assert api.post("/v1/events", json={"events": [event]}).status_code == 200
    assert [event.event_type for event in visit.shop.stored_events(visitor)] == ["view"]


def test_a_product_that_the_middle_button_opens_in_a_tab_was_clicked(visit: Visit) -> None:
    visit.go("/shop")
    visitor = visit.consent()
    [item_id, *_] = visit.items("For you")
    link = visit.shelf("For you").locator(".card a").first
    link.click(button="right")
    link.click(button="middle")
    eventually(lambda: visit.events(visitor, "click"))
    [event] = visit.events(visitor, "click")
    assert event.item_id == item_id


def test_events_that_the_api_refuses_for_now_are_sent_again_and_count_once(visit: Visit) -> None:
    refused: list[str | None] = []

    def refuse_twice(route: "Route") -> None:
        if len(refused) == 2:
            route.continue_()
            return
        refused.append(route.request.post_data)
        route.abort() if len(refused) == 1 else route.fulfill(status=503)

    item_id = visit.shop.item_ids()[0]
    visit.go("/shop")
    visitor = visit.consent()
    visit.context.route("**/v1/events", refuse_twice)
    visit.go(f"/shop/items/{item_id}")
    # Events wait there until the API has answered for them.
    eventually(lambda: visit.page.evaluate("sessionStorage.length") == 0)
    assert len(refused) == 2
    [event] = visit.events(visitor, "view")
    assert event.item_id == item_id
    # The browser's own words on the two that failed.
    visit.problems.clear()


def test_a_customer_with_a_history_has_reasons_by_name(visit: Visit) -> None:
    customer = sorted({str(line["CustomerID"]) for line in visit.shop.lines if line["CustomerID"]})[
        0
    ]
    visit.go("/shop/sign-in")
    visit.page.get_by_label("Another customer's number").fill(customer)
    visit.page.get_by_role("button", name="Sign in", exact=True).click()
    assert visit.page.get_by_role("heading", name=f"customer {customer}").is_visible()
    assert visit.shelf("For you").locator(".reason").count() == len(visit.items("For you"))
    assert "model 20" in visit.shelf("For you").inner_text()


def test_search_and_departments_find_products(visit: Visit) -> None:
    visit.go("/shop")
    visit.page.get_by_role("searchbox", name="Search products").fill("heart")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**/shop/search?q=heart")
    titles = visit.page.locator(".card .title").all_text_contents()
    assert titles
    assert all("heart" in title.lower() for title in titles)
    visit.page.get_by_role("link", name="Candles & lights").click()
    visit.page.wait_for_url("**/shop/departments/lights")
    assert visit.page.locator(".card").count() > 0


def test_the_operator_sees_what_serves_and_why_an_item_is_there(visit: Visit) -> None:
    customer = str(next(line["CustomerID"] for line in visit.shop.lines if line["CustomerID"]))
    visit.go("/shop/operator")
    models = visit.page.get_by_role("region", name="Models")
    assert f"{visit.shop.serving()} serves" in " ".join(models.inner_text().split())
    assert "recommenders" in visit.page.get_by_role("region", name="Gateways").inner_text().lower()
    visit.page.get_by_label("User").fill(customer)
    visit.press("Explain")
    why = visit.page.get_by_role("region", name="Why this item?").inner_text()
    assert "factors" in why
    assert "home" in why


@pytest.mark.parametrize("width", _WIDTHS.values(), ids=_WIDTHS)
def test_no_page_is_wider_than_the_screen(shop: Shop, browser: "Browser", width: int) -> None:
    visit = Visit(shop, browser, viewport={"width": width, "height": 844})
    item_id = shop.item_ids()[0]
    searches = ("/search?q=heart", f"/search?q={'W' * 100}")
    paths = ("", *searches, f"/items/{item_id}", "/basket", "/sign-in", "/operator")
    for path in paths:
        visit.go(f"/shop{path}")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width, path
    visit.context.close()


def test_the_keyboard_reaches_the_content_first_and_every_field_has_a_label(visit: Visit) -> None:
    visit.go("/shop")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    visit.page.keyboard.press("Enter")
    assert visit.page.evaluate("document.activeElement.id") == "main"
    for path in ("/shop", "/shop/sign-in", f"/shop/items/{visit.shop.item_ids()[0]}"):
        visit.go(path)
        unnamed = "[...document.querySelectorAll('input:not([type=hidden]), button')]"
        unnamed += ".filter(e => !e.labels.length && !e.textContent.trim()).length"
        assert visit.page.evaluate(unnamed) == 0


def test_the_shop_works_without_javascript(shop: Shop, browser: "Browser") -> None:
    visit = Visit(shop, browser, java_script_enabled=False)
    visit.go("/shop")
    visitor = visit.consent()
    visit.page.locator(".card a").first.click()
    visit.press("Add to basket")
    visit.page.get_by_role("link", name="To the checkout").click()
    visit.press("Place the order")
    assert visit.page.get_by_role("heading", name="Thank you").is_visible()
    assert [event.event_type for event in shop.stored_events(visitor)] == ["purchase"]
    visit.context.close()
