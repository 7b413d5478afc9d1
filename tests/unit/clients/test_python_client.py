"""The Python client: what it sends, what it makes of answers, and what it repeats."""

import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import recsys_client
from recsys_client import (
    AsyncClient,
    Client,
    Event,
    Forbidden,
    InvalidInput,
    ItemChanges,
    ItemFields,
    NotFound,
    NotReached,
    PlacementRequest,
    RateLimited,
    RecsysError,
    Retries,
    Unavailable,
    UnexpectedAnswer,
    WrongKey,
)

from services.gateway.schemas.reports import ExperimentReport
from tests.unit.clients.fake_api import FakeApi, good, problem

LIST = {
    "items": [{"item_id": "a", "title": None, "price": 2.5, "score": None}],
    "source": "a source of the future",
    "model_version": None,
    "degraded": False,
    "request_id": "r",
    "user_id": "ann",
    "a field of the future": 1,
}
VIEW = Event(user_id="ann", item_id="lamp", event_type="view")


def test_what_is_sent_is_what_was_set() -> None:
    api = FakeApi([good(LIST)] * 2)
    for call in api.calls("recommend_for_user", "a/b c", limit=3, exclude_item_ids=["x", "y"]):
        call()
    for request in api.requests:
        assert request.url.raw_path == (
            b"/v1/users/a%2Fb%20c/recommendations?limit=3&exclude_item_id=x&exclude_item_id=y"
        )
        assert request.headers["X-API-Key"] == "key"


@pytest.mark.parametrize("user_id", [".", ".."])
def test_an_id_of_dots_is_no_way_through_folders(user_id: str) -> None:
    api = FakeApi([good(LIST)] * 2)
    for call in api.calls("recommend_for_user", user_id):
        call()
    path = f"/v1/users/{'%2E' * len(user_id)}/recommendations".encode()
    assert [request.url.raw_path for request in api.requests] == [path] * 2


def test_none_is_an_option_that_is_not_given() -> None:
    api = FakeApi([good(LIST)] * 2)
    for call in api.calls(
        "recommend_for_user", "ann", limit=None, filter=None, exclude_item_ids=None
    ):
        call()
    assert [request.url.raw_path for request in api.requests] == [
        b"/v1/users/ann/recommendations"
    ] * 2


def test_an_option_that_there_is_not_is_refused() -> None:
    """Its filter would be left out without a word."""
    api = FakeApi()
    for call in api.calls("recommend_for_user", "ann", filters="price < 5"):
        with pytest.raises(TypeError, match="filters is no option of a list; there are limit, "):
            call()
    assert not api.requests


@pytest.mark.parametrize(
    ("user_id", "error", "says"),
    [
        ("", ValueError, "an id must not be empty"),
        (None, TypeError, "an id is a str, not NoneType"),
        (17850, TypeError, "an id is a str, not int: 17850"),
        ("x" * 70_000, ValueError, "too long: a placement takes"),
    ],
)
def test_what_is_no_id_is_refused_in_words_about_it(
    user_id: Any, error: type[Exception], says: str
) -> None:
    api = FakeApi()
    for call in api.calls("recommend_for_user", user_id):
        with pytest.raises(error, match=says):
            call()
    assert not api.requests


def test_a_change_names_no_field_that_stays_as_it_is() -> None:
    item = good({"item_id": "lamp"})
    api = FakeApi([item, item])
    for call in api.calls("change_item", "lamp", ItemChanges(price=2.5, brand=None)):
        assert call().item_id == "lamp"
    assert api.bodies() == [{"price": 2.5, "brand": None}] * 2


def test_a_number_that_is_none_reaches_the_api_which_names_its_field() -> None:
    api = FakeApi([good({"item_id": "lamp"})] * 2)
    for call in api.calls("put_item", "lamp", ItemFields(price=float("nan"))):
        call()
    assert [request.content for request in api.requests] == [b'{"price": NaN}'] * 2


@pytest.mark.parametrize("key", ["rk_secret\n", " rk_secret", "rk_secr\u00e9t"])
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_key_that_is_none_is_refused_and_not_told(kind: type[Any], key: str) -> None:
    with pytest.raises(ValueError, match=r"strip\(\)") as caught:
        kind("http://api", key)
    assert "secr" not in str(caught.value)


def test_whatever_a_method_takes_or_gives_can_be_imported_from_the_package() -> None:
    # By their annotations, as `models.UserFields`.
    source = Path(recsys_client.__file__).with_name("client.py").read_text()
    named = set(re.findall(r"\bmodels\.(\w+)", source))
    assert "UserFields" in named
    assert named <= set(recsys_client.__all__)


def test_an_answer_of_a_newer_server_is_read() -> None:
    api = FakeApi([good(LIST)] * 2)
    for call in api.calls("recommend_for_user", "ann"):
        answer = call()
        assert answer.items[0].price == 2.5
        assert answer.source == "a source of the future"


def test_a_report_is_read_with_its_times_and_what_is_not_known() -> None:
    [example] = ExperimentReport.model_json_schema()["examples"]
    few = {"mean": 0.5, "low": None, "high": None}
    example["outcomes"][0]["rates"]["conversion"] = few
    example["start_time"] = None
    api = FakeApi([good(example)] * 2)
    for call in api.calls("experiment_report"):
        report = call()
        assert report.made_time.isoformat() == "2026-11-27T02:30:00+00:00"
        assert report.start_time is None
        assert report.outcomes[0].rates.conversion.low is None
        assert report.differences[0].rates.click_rate.high == 0.049
    assert [request.url.path for request in api.requests] == ["/v1/reports/experiments"] * 2


def test_an_item_is_removed() -> None:
    api = FakeApi([httpx.Response(204)] * 2)
    for call in api.calls("remove_item", "lamp"):
        assert call() is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, WrongKey),
        (403, Forbidden),
        (404, NotFound),
        (422, InvalidInput),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_a_problem_is_an_error_of_its_own(status: int, error: type[RecsysError]) -> None:
    fields = [{"field": "limit", "reason": "should be less than 101"}]
    api = FakeApi([problem(status, problems=fields)] * 6)
    for call in api.calls("recommend", "home", PlacementRequest(user_id="ann")):
        with pytest.raises(error, match="limit: should be less than 101") as raised:
            call()
        assert raised.value.problem.request_id == "r-1"  # type: ignore[attr-defined]


def test_what_is_no_answer_of_the_api_is_said_to_be_none() -> None:
    for strange in (good([]), httpx.Response(200, text="<html>"), httpx.Response(403)):
        with pytest.raises(UnexpectedAnswer, match="http://api/v1/users/ann"):
            FakeApi([strange]).client().recommend_for_user("ann")
    with pytest.raises(NotReached, match="502 without a problem"):
        FakeApi([httpx.Response(502)] * 3).client().recommend_for_user("ann")


@pytest.mark.parametrize(
    "failure",
    [
        problem(503),
        problem(504),
        problem(429),
        httpx.Response(502),
        httpx.ReadTimeout("too slow"),
        httpx.ConnectError("refused"),
    ],
    ids=lambda failure: repr(failure),
)
def test_what_may_pass_is_repeated_with_the_same_ids(failure: Any) -> None:
    api = FakeApi([failure, failure])
    assert api.client().record_events([VIEW]).accepted == 1
    assert len(api.requests) == 3
    assert len({event["event_id"] for event in api.events()}) == 1


def test_both_clients_repeat_alike() -> None:
    api = FakeApi([problem(503), good(LIST), problem(503), good(LIST)])
    for call in api.calls("recommend_for_user", "ann"):
        call()
    assert len(api.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
def test_what_cannot_pass_is_asked_once(status: int) -> None:
    api = FakeApi([problem(status)] * 3)
    with pytest.raises(RecsysError):
        api.client().put_item("lamp", ItemFields())
    assert len(api.requests) == 1


def test_attempts_end() -> None:
    api = FakeApi([problem(503)] * 9)
    with pytest.raises(Unavailable):
        api.client(retries=Retries(4, 0.001)).recommend_for_user("ann")
    assert len(api.requests) == 4


def test_it_waits_as_long_as_it_is_told_to() -> None:
    api = FakeApi([problem(429, retry_after="1"), good(LIST)])
    before = time.monotonic()
    api.client().recommend_for_user("ann")
    assert time.monotonic() - before >= 1


def test_it_does_not_wait_for_longer_than_the_call_may_take() -> None:
    api = FakeApi([problem(429, retry_after="3"), good(LIST)])
    with pytest.raises(RateLimited) as raised:
        api.client().recommend_for_user("ann")
    assert raised.value.retry_after_seconds == 3
    assert len(api.requests) == 1


def test_the_time_of_a_call_is_that_of_all_its_attempts() -> None:
    api = FakeApi([problem(503), good(LIST)])
    api.client(read_seconds=1.0, retries=Retries(first_wait_seconds=0.2)).recommend_for_user("ann")
    first, second = (request.extensions["timeout"]["read"] for request in api.requests)
    assert first <= 1.0
    assert second <= 0.9


def test_a_batch_of_which_all_is_rejected_is_an_answer_too() -> None:
    result = {"index": 0, "status": "rejected", "event_id": None}
    result["problems"] = [{"field": "event_type", "reason": "is none of the shop's"}]
    counts = {"accepted": 0, "duplicate": 0, "rejected": 1, "degraded": False}
    api = FakeApi([problem(422, **counts, results=[result])] * 2 + [problem(422)] * 2)
    for call in api.calls("record_events", [VIEW]):
        assert call().results[0].problems[0].field == "event_type"
    for call in api.calls("record_events", []):
        with pytest.raises(InvalidInput):
            call()


def test_an_unknown_field_of_a_request_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="itemid"):
        Event(user_id="ann", itemid="lamp", event_type="view")  # type: ignore[call-arg]
