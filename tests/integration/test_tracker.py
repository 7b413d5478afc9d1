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


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("NaN", "price is NaN, which JSON cannot say"),
        ("-Infinity", "price is -Infinity, which JSON cannot say"),
        ("5n", "price is 5, which JSON cannot say"),
        ("window", "JSON cannot say this"),
    ],
)
def test_what_json_cannot_say_is_told_and_keeps_nothing_else_from_being_sent(
    page: "Page", api: Api, value: str, says: str
) -> None:
    page.evaluate(f"tracker.track({{ item_id: 'bad', event_type: 'view', price: {value} }})")
    page.evaluate(TRACK, "good")
    eventually(lambda: api.items() == ["good"])
    [[item_id, [problem]]] = page.evaluate("rejected")
    assert item_id == "bad"
    assert says in problem["reason"]


def test_a_fault_of_on_rejected_ends_no_tracker(page: "Page", api: Api) -> None:
    page.evaluate("rejected = { push() { throw new Error('of the page') } }")
    api.rejected_item = "bad"
    with page.expect_event("pageerror") as error:
        page.evaluate(TRACK, "bad")
    assert error.value.message == "of the page"
    page.evaluate(TRACK, "good")
    eventually(lambda: api.items() == ["bad", "good"])


def test_without_on_rejected_the_console_names_what_is_lost_and_not_the_shopper(
    page: "Page", api: Api
) -> None:
    page.evaluate("startTracker('secret-shopper', '', undefined)")
    api.rejected_item = "bad"
    with page.expect_console_message() as said:
        page.evaluate(TRACK, "bad")
    line = "recsys-client: view of bad is not recorded: item_id is not wanted"
    assert said.value.text == line


def test_a_slash_at_the_end_of_the_address_loses_no_event(page: "Page", api: Api) -> None:
    page.evaluate("url => startTracker('ann', url)", f"{api.url}/recommender/")
    page.evaluate(TRACK, "a")
    eventually(lambda: api.items() == ["a"])
    assert api.paths == ["/recommender/v1/events"]


def test_an_event_is_sent_as_it_was_when_it_was_tracked(page: "Page", api: Api) -> None:
    api.failures = [(503, 1)]
    page.evaluate("""() => {
      const context = { placement: 'home' };
      tracker.track({ item_id: 'a', event_type: 'view', context });
      context.placement = 'basket';
    }""")
    eventually(lambda: api.items() == ["a", "a"])
    assert [event["context"] for event in api.events()] == [{"placement": "home"}] * 2


def test_events_of_many_bytes_go_in_requests_that_may_outlive_the_page(
    page: "Page", api: Api
) -> None:
    """Some 90 kB in UTF-8, of 30,000 characters."""
    api.failures = [(503, 1)]
    page.evaluate(
        "for (let n = 0; n < 100; n++) "
        "tracker.track({ item_id: String(n), event_type: 'view', query: '灯'.repeat(280) })"
    )
    eventually(lambda: page.evaluate(STORED) == 0)
    assert api.items() == ["0", *map(str, range(100))]


def test_one_that_is_too_long_for_the_browser_is_left_to_the_api(page: "Page", api: Api) -> None:
    api.rejected_item = "long"
    page.evaluate(
        "tracker.track({ item_id: 'long', event_type: 'view', query: 'x'.repeat(70000) })"
    )
    page.evaluate(TRACK, "good")
    eventually(lambda: api.items() == ["long", "good"])
    assert page.evaluate("rejected.length") == 1


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
