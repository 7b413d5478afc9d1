"""The tracker in a real browser: what it sends, and sends again."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium
from tests.eventually import eventually
from tests.integration.tracked_pages import Api, serve_pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TRACK = "item_id => tracker.track({ item_id, event_type: 'view' })"
STORED = "JSON.parse(sessionStorage.getItem('recsys-events') ?? '[]').length"


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    with chromium() as browser:
        yield browser


@pytest.fixture
def api() -> Iterator[Api]:
    with serve_pages() as api:
        yield api


@pytest.fixture
def page(browser: "Browser", api: Api) -> "Iterator[Page]":
    context = browser.new_context(base_url=api.url)
    page = context.new_page()
    open_page(page, "/first")
    yield page
    context.close()


def open_page(page: "Page", path: str, user: str = "ann") -> None:
    page.goto(path)
    page.wait_for_function("window.isLoaded")
    page.evaluate("user => startTracker(user)", user)


def test_an_event_is_sent_at_once_with_an_id_of_its_own(page: "Page", api: Api) -> None:
    for item_id in ("a", "b"):
        page.evaluate(TRACK, item_id)
    eventually(lambda: api.items() == ["a", "b"])
    assert {event["user_id"] for event in api.events()} == {"ann"}
    assert len({event["event_id"] for event in api.events()}) == 2
    eventually(lambda: page.evaluate(STORED) == 0)


@pytest.mark.parametrize("failure", [503, 429, 0])
def test_what_failed_is_sent_again_with_the_same_id(page: "Page", api: Api, failure: int) -> None:
    api.failures = [(failure, 0)]
    page.evaluate(TRACK, "a")
    eventually(lambda: api.items() == ["a", "a"])
    assert len({event["event_id"] for event in api.events()}) == 1
    eventually(lambda: page.evaluate(STORED) == 0)


def test_it_waits_as_long_as_the_api_asks_for(page: "Page", api: Api) -> None:
    api.failures = [(429, 2)]
    page.evaluate(TRACK, "a")
    eventually(lambda: len(api.batches) == 1)
    page.evaluate(TRACK, "b")
    page.wait_for_timeout(1000)
    assert len(api.batches) == 1
    eventually(lambda: api.items() == ["a", "a", "b"])


def test_what_failed_is_sent_by_the_next_page(page: "Page", api: Api) -> None:
    api.failures = [(503, 60)] * 2
    page.evaluate(TRACK, "a")
    eventually(lambda: len(api.batches) == 1)
    # On leaving it tries once more.
    page.goto("/second")
    eventually(lambda: len(api.batches) == 2)
    page.wait_for_function("window.isLoaded")
    page.evaluate("startTracker('ann')")
    eventually(lambda: api.items() == ["a", "a", "a"])
    assert len({event["event_id"] for event in api.events()}) == 1


def test_the_api_may_be_on_another_host(page: "Page", api: Api) -> None:
    elsewhere = api.url.replace("127.0.0.1", "localhost")
    api.failures = [(503, 1)]
    page.evaluate("url => startTracker('ann', url)", elsewhere)
    page.evaluate(TRACK, "a")
    eventually(lambda: api.items() == ["a", "a"])
    page.evaluate(
        "tracker.trackWhenSeen(document.getElementById('seen'), "
        "{ item_id: 'seen', event_type: 'impression' })"
    )
    eventually(lambda: page.evaluate(STORED) == 1)
    page.goto("/second")
    eventually(lambda: api.items() == ["a", "a", "seen"])


def test_what_was_seen_is_sent_together_and_when_the_page_goes(page: "Page", api: Api) -> None:
    page.evaluate(
        "for (const id of ['seen', 'below']) tracker.trackWhenSeen("
        "document.getElementById(id), { item_id: id, event_type: 'impression' })"
    )
    eventually(lambda: page.evaluate(STORED) == 1)
    assert api.batches == []
    page.goto("/second")
    eventually(lambda: api.items() == ["seen"])


def test_a_rejected_event_is_told_and_not_sent_again(page: "Page", api: Api) -> None:
    api.rejected_item = "bad"
    for item_id in ("good", "bad"):
        page.evaluate(TRACK, item_id)
    eventually(lambda: page.evaluate("rejected.length") == 1)
    problems = [{"field": "item_id", "reason": "is not wanted"}]
    assert page.evaluate("rejected") == [["bad", problems]]
    assert page.evaluate(STORED) == 0


@pytest.mark.parametrize("status", [403, 500])
def test_what_cannot_pass_is_given_up(page: "Page", api: Api, status: int) -> None:
    api.failures = [(status, 0)]
    page.evaluate(TRACK, "a")
    eventually(lambda: page.evaluate("rejected.length") == 1)
    page.evaluate(TRACK, "b")
    eventually(lambda: api.items() == ["a", "b"])


def test_a_token_that_is_over_keeps_events_for_a_new_one(page: "Page", api: Api) -> None:
    api.failures = [(401, 0)]
    page.evaluate(TRACK, "a")
    eventually(lambda: len(api.batches) == 1)
    page.evaluate(TRACK, "b")
    page.evaluate("tracker.renewSession('new')")
    eventually(lambda: api.items() == ["a", "a", "b"])
    assert api.tokens == ["token", "new"]


def test_a_token_may_be_renewed_before_the_old_one_is_refused(page: "Page", api: Api) -> None:
    api.failures = [(401, 0)]
    api.may_answer.clear()
    page.evaluate(TRACK, "a")
    eventually(lambda: len(api.batches) == 1)
    page.evaluate("tracker.renewSession('new')")
    api.may_answer.set()
    eventually(lambda: api.items() == ["a", "a"])
    assert api.tokens == ["token", "new"]


def test_a_withdrawn_consent_sends_and_keeps_nothing(page: "Page", api: Api) -> None:
    api.failures = [(503, 1)]
    page.evaluate(TRACK, "a")
    eventually(lambda: len(api.batches) == 1)
    page.evaluate("tracker.withdraw()")
    page.evaluate(TRACK, "b")
    page.evaluate("tracker.renewSession('new')")
    assert page.evaluate("sessionStorage.length") == 0
    open_page(page, "/second")
    page.evaluate(TRACK, "c")
    eventually(lambda: api.items() == ["a", "c"])


def test_a_page_without_consent_forgets_what_waited(page: "Page", api: Api) -> None:
    api.failures = [(503, 60)] * 2
    page.evaluate(TRACK, "a")
    eventually(lambda: len(api.batches) == 1)
    page.goto("/second")
    page.wait_for_function("window.isLoaded")
    page.evaluate("forgetEvents()")
    assert page.evaluate("sessionStorage.length") == 0


def test_events_of_another_user_are_not_sent_with_a_token_of_this_one(
    page: "Page", api: Api
) -> None:
    api.failures = [(503, 60)] * 2
    page.evaluate(TRACK, "a")
    eventually(lambda: len(api.batches) == 1)
    open_page(page, "/second", user="bob")
    page.evaluate(TRACK, "b")
    eventually(lambda: api.items()[-1] == "b")
    assert [event["user_id"] for event in api.batches[-1]] == ["bob"]


def test_what_waits_is_bounded_and_goes_in_small_requests(page: "Page", api: Api) -> None:
    api.failures = [(503, 1)]
    page.evaluate(
        "for (let n = 0; n < 700; n++) "
        "tracker.track({ item_id: String(n), event_type: 'view', context: { a: 'x'.repeat(200) } })"
    )
    assert page.evaluate(STORED) == 500
    eventually(lambda: page.evaluate(STORED) == 0)
    # The first went out before there were more.
    assert api.items() == ["0", *map(str, range(200, 700))]
    assert max(len(str(batch)) for batch in api.batches) < 40_000


def test_without_storage_it_works_as_long_as_the_page(browser: "Browser", api: Api) -> None:
    context = browser.new_context(base_url=api.url)
    context.add_init_script(
        "Object.defineProperty(window, 'sessionStorage', { get() { throw new Error('off'); } })"
    )
    page = context.new_page()
    api.failures = [(503, 0)]
    open_page(page, "/first")
    page.evaluate(TRACK, "a")
    eventually(lambda: api.items() == ["a", "a"])
    context.close()
