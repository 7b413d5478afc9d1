"""The API's page for people, in a real browser on the whole stack."""

from urllib.parse import urlsplit

from tests.browser import chromium
from tests.e2e.shop import KNOWN_CUSTOMER, Shop


def test_a_route_is_tried_in_the_page_and_nothing_is_asked_elsewhere(shop: Shop) -> None:
    url = shop.stack.settings.url
    hosts, problems = set[str](), list[str]()
    with chromium() as browser:
        page = browser.new_page(base_url=url)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.on("console", lambda said: problems.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto("/docs")
        page.locator(".auth-wrapper").get_by_role("button", name="Authorize").click()
        key = page.locator(".auth-container", has_text="X-API-Key")
        key.get_by_role("textbox").fill(shop.key)
        key.get_by_role("button", name="Apply credentials").click()
        key.get_by_role("button", name="Close").click()
        route = page.locator(".opblock", has_text="/v1/users/{user_id}/recommendations")
        route.locator(".opblock-summary-control").click()
        route.get_by_role("button", name="Try it out").click()
        route.get_by_placeholder("user_id").fill(KNOWN_CUSTOMER)
        route.get_by_role("button", name="Execute").click()
        answer = route.locator(".live-responses-table .response").inner_text()
    assert f'"user_id": "{KNOWN_CUSTOMER}"' in answer
    assert hosts == {urlsplit(url).netloc}
    assert problems == []
