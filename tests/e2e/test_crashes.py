"""kill -9 of each part, under requests: what a shopper and a shop notice of it."""

import time
import uuid

import httpx
import pytest

from infra.local.stack import Stack
from tests.e2e.load import load, questions
from tests.e2e.shop import (
    KNOWN_CUSTOMER,
    Shop,
    item,
    purchase,
    recommendations,
    similar,
)
from tests.e2e.stalls import waits_for_redis_given_up
from tests.eventually import eventually
from tests.stack_fixture import await_health

_RECOVERY_SECONDS = 120


@pytest.mark.parametrize("name", ["recommender-1", "recommender-2", "gateway-1", "gateway-2"])
def test_no_request_fails_when_one_of_two_is_killed(
    shop: Shop, healed_stack: Stack, name: str
) -> None:
    paths = [recommendations(KNOWN_CUSTOMER), recommendations("a stranger"), similar("22423")]
    stalls = waits_for_redis_given_up(healed_stack)

    with load(shop, questions(paths), per_second=120) as asked:
        asked.await_more(60)
        healed_stack.kill(name)
        asked.await_more(360)

    assert asked.failures() == []
    # Where the machine stands still for as long as a recommender waits for Redis, that degrades
    # an answer, and no death does.
    if waits_for_redis_given_up(healed_stack) <= stalls:
        assert [one for one in asked.answered if one.body["degraded"]] == []


def test_without_redis_answers_go_on_less_personal_and_say_so(
    shop: Shop, healed_stack: Stack
) -> None:
    with load(shop, questions([recommendations(KNOWN_CUSTOMER)]), 60) as asked:
        asked.await_more(30)
        healed_stack.kill("redis")
        asked.await_more(120)

    assert asked.failures() == []
    await_health(healed_stack)
    with shop.client() as api:
        after = api.get(recommendations(KNOWN_CUSTOMER)).json()
    assert (after["source"], after["degraded"]) == ("stored", False)


def test_no_acknowledged_event_is_lost_when_hbase_is_killed(
    shop: Shop, healed_stack: Stack, api: httpx.Client
) -> None:
    shopper = f"crash-{uuid.uuid4().hex}"
    acknowledged: list[str] = []
    for batch in range(20):
        answer = send(api, shopper, [f"{batch}-{n}" for n in range(50)])
        assert answer.status_code == 200
        acknowledged += taken(answer)
    assert len(acknowledged) == 1000

    healed_stack.kill("hbase")
    refused: list[httpx.Response] = []
    give_up = time.monotonic() + _RECOVERY_SECONDS
    for number in range(10_000):
        answer = send(api, shopper, [f"after-{number}"])
        if answer.status_code == 200:
            acknowledged += taken(answer)
            if refused:
                break
        else:
            refused.append(answer)
            # Reading goes on meanwhile.
            assert api.get(recommendations(KNOWN_CUSTOMER)).status_code == 200
        assert time.monotonic() < give_up

    assert {answer.status_code for answer in refused} == {503}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    stored = [event.event_id for event in shop.stored_events(shopper)]
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)


def test_a_killed_ingest_service_is_back_by_itself(
    shop: Shop, healed_stack: Stack, api: httpx.Client
) -> None:
    healed_stack.kill("ingest-1")
    refused = api.get(item("22423"))
    await_health(healed_stack)

    assert refused.status_code in (200, 503)
    # Soon after it is back, the gateways have found it.
    eventually(lambda: api.get(item("22423")).status_code == 200)


def send(api: httpx.Client, shopper: str, event_ids: list[str]) -> httpx.Response:
    events = [purchase(shopper, "22423", event_id=event_id) for event_id in event_ids]
    return api.post("/v1/events", json={"events": events})


def taken(answer: httpx.Response) -> list[str]:
    return [result["event_id"] for result in answer.json()["results"]]
