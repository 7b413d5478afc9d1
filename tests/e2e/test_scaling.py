"""Replicas come and go while shoppers ask and shops send events: nobody notices."""

import random
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.local.replicas import USUAL_REPLICAS, Service
from infra.local.settings import REPOSITORY
from infra.local.stack import Stack
from tests.e2e.load import load
from tests.e2e.load_driver import Request
from tests.e2e.shop import KNOWN_CUSTOMER, Shop, recommendations, similar
from tests.e2e.stalls import waits_for_redis_given_up
from tests.eventually import eventually
from tests.stack_metrics import total_of

PER_SECOND = 120
# None is due to scaling; a machine that stalls for long enough costs a few, as while a process
# starts beside tests that train: recommenders count as hung, and ingest tells who has waited for
# its threads for too long to send the event again.
MAX_DEGRADED = MAX_REFUSED = 0.02
# What counts the work of each service, in its metrics.
WORK = {
    Service.GATEWAY: "recsys_requests_total",
    Service.RECOMMENDER: "recsys_cache_total",
    Service.INGEST: "recsys_requests_total",
}


@pytest.fixture
def scaled_stack(healed_stack: Stack) -> Iterator[Stack]:
    """The stack, for a test that scales it: the next one finds as many replicas as ever."""
    yield healed_stack
    for service, count in USUAL_REPLICAS.items():
        healed_stack.scale(service, count)


def reads_and_writes() -> list[Request]:
    """Many, in no order: taking turns, a replica might get the same kind of request each time."""
    paths = [recommendations(KNOWN_CUSTOMER), recommendations("a stranger"), similar("22423")]
    return random.Random(1).choices([*map(Request, paths), write()], k=10 * PER_SECOND)


def write() -> Request:
    """One event of a shopper of its own, recorded anew each time."""
    event = f'{{"user_id": "{uuid.uuid4().hex}", "item_id": "22423", "event_type": "view"}}'
    return Request("/v1/events", "POST", f'{{"events": [{event}]}}'.encode())


def work_of(stack: Stack, service: Service, replica: str) -> float:
    """Count what a replica has done so far; 0 if it does not respond."""
    return total_of(stack, service, replica, WORK[service])


@pytest.mark.parametrize("service", Service)
def test_no_request_fails_when_a_replica_is_added_and_drained(
    shop: Shop, scaled_stack: Stack, service: Service
) -> None:
    usual = USUAL_REPLICAS[service]
    added = service.names()[usual]
    stalls = waits_for_redis_given_up(scaled_stack)

    with load(shop, reads_and_writes(), PER_SECOND) as asked:
        asked.await_more(PER_SECOND)
        assert scaled_stack.scale(service, usual + 1).start == (added,)
        eventually(lambda: work_of(scaled_stack, service, added) > 20)
        assert scaled_stack.scale(service, usual).stop == (added,)
        asked.await_more(2 * PER_SECOND)

    refused = asked.failures()
    assert {(one.request.method, one.status) for one in refused} <= {("POST", 503)}
    assert len(refused) <= MAX_REFUSED * len(asked.answered)
    answers = [one.body for one in asked.answered if one.request.method == "GET"]
    degraded = sum(answer["degraded"] for answer in answers)
    # Who is answered while a recommender does not ask Redis is degraded, for a second and longer.
    if waits_for_redis_given_up(scaled_stack) <= stalls:
        assert degraded <= MAX_DEGRADED * len(answers)


def test_a_busy_service_gets_a_replica_and_an_idle_one_gives_it_back(
    shop: Shop, scaled_stack: Stack
) -> None:
    def running() -> list[str]:
        return scaled_stack.running(Service.INGEST)

    with autoscaling(scaled_stack, "ingest", "--target", "0.05", "--shrink-after", "3"):
        with load(shop, [write()], PER_SECOND) as asked:
            eventually(lambda: running() == ["ingest-1", "ingest-2"], within_seconds=30)
            asked.await_more(PER_SECOND)
        eventually(lambda: running() == ["ingest-1"], within_seconds=30)

    assert asked.failures() == []


@contextmanager
def autoscaling(stack: Stack, *arguments: str) -> Iterator[None]:
    """The dynamic mode, as an operator starts it."""
    command = [sys.executable, "-m", "infra.local", "autoscale", "--name", stack.settings.name]
    with subprocess.Popen([*command, "--every", "0.5", *arguments], cwd=REPOSITORY) as process:
        try:
            yield
            assert process.poll() is None
        finally:
            process.terminate()
