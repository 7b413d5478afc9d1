"""Redis is slow, dead or back again: waits are short, and errors are ours."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from recsys.core.domain import Event
from recsys.core.errors import ConfigurationError, Unavailable
from recsys.stores.redis.connect import (
    SERVING_TIMEOUT_SECONDS,
    Redis,
    connect,
    connect_async,
)
from recsys.stores.redis.hidden import RedisHiddenItems
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.recent import RedisRecentBehaviour
from recsys.stores.redis.serving import RedisServingStore
from tests.builders import a_user_block
from tests.contract.test_published_models import a_user
from tests.integration.redis_server import RedisServer, RoundTrips
from tests.redis_fixture import Ask

pytestmark = pytest.mark.redis
EVENT = Event("e", "ann", "lamp", "view", 5)


@pytest.fixture
def redis(server: RedisServer) -> Iterator[Redis]:
    with connect(server.url, timeout_seconds=0.25) as client:
        yield client


@pytest.fixture
def serving(server: RedisServer, ask: Ask) -> Iterator[RedisServingStore]:
    client = connect_async(server.url)
    yield RedisServingStore(client)
    ask(client.aclose())


def seconds_to_fail(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    with pytest.raises(Unavailable, match="redis is unavailable"):
        action()
    return time.perf_counter() - started


def test_every_read_of_a_dead_redis_fails_at_once(
    server: RedisServer, serving: RedisServingStore, ask: Ask
) -> None:
    ask(serving.current("shop"))
    server.kill()

    for read in (
        lambda: ask(serving.current("shop")),
        lambda: ask(serving.hidden("shop")),
        lambda: ask(serving.item_side("shop", "v1")),
        lambda: ask(serving.user("shop", "v1", "ann")),
    ):
        assert seconds_to_fail(read) < 0.2


def test_every_write_to_a_dead_redis_fails_at_once(server: RedisServer, redis: Redis) -> None:
    redis.ping()
    server.kill()
    published, hidden = RedisPublishedModels(redis), RedisHiddenItems(redis)

    for write in (
        lambda: RedisRecentBehaviour(redis).record("shop", [EVENT], 1),
        lambda: hidden.hide("shop", "lamp"),
        lambda: hidden.show("shop", "lamp"),
        lambda: published.current("shop"),
        lambda: published.write_items("shop", "v1", b"{}", b"items"),
        lambda: published.write_users("shop", "v1", a_user_block({"ann": a_user(1)})),
        lambda: published.count_users("shop", "v1", ["ann"]),
        lambda: published.activate("shop", "v1"),
        lambda: published.retire("shop", []),
    ):
        assert seconds_to_fail(write) < 0.2


def test_a_redis_that_hangs_costs_a_shopper_no_more_than_the_timeout(
    server: RedisServer, serving: RedisServingStore, ask: Ask
) -> None:
    ask(serving.current("shop"))
    server.pause()

    took = seconds_to_fail(lambda: ask(serving.user("shop", "v1", "ann")))
    server.resume()

    assert SERVING_TIMEOUT_SECONDS <= took < 2 * SERVING_TIMEOUT_SECONDS + 0.1


def test_an_answer_that_came_too_late_is_not_taken_for_the_next_one(
    server: RedisServer, redis: Redis, serving: RedisServingStore, ask: Ask
) -> None:
    RedisPublishedModels(redis).activate("shop", "v1")
    RedisHiddenItems(redis).hide("shop", "lamp")
    ask(serving.current("shop"))
    server.pause()
    seconds_to_fail(lambda: ask(serving.current("shop")))
    server.resume()

    assert ask(serving.hidden("shop")) == {"lamp"}


def test_clients_find_a_restarted_redis_by_themselves(
    server: RedisServer, redis: Redis, serving: RedisServingStore, ask: Ask
) -> None:
    published = RedisPublishedModels(redis)
    published.activate("shop", "v1")
    assert ask(serving.current("shop")) == "v1"

    server.kill()
    server.start()
    # A service's event loop never stands still, and so has seen the old connection end.
    ask(asyncio.sleep(0))

    assert ask(serving.current("shop")) == "v1"
    assert published.current("shop") == "v1"


def test_a_user_is_read_in_one_round_trip(server: RedisServer, redis: Redis, ask: Ask) -> None:
    RedisPublishedModels(redis).write_users("shop", "v1", a_user_block({"ann": a_user(1)}))
    RedisRecentBehaviour(redis).record("shop", [EVENT], 1)
    counter = RoundTrips(server.url)
    client = connect_async(counter.url, timeout_seconds=5)
    serving = RedisServingStore(client)
    ask(serving.current("shop"))
    before = counter.count

    stored, recent = ask(serving.user("shop", "v1", "ann"))

    assert counter.count - before == 1
    assert stored is not None
    assert len(recent) == 1
    ask(client.aclose())
    counter.close()


@pytest.mark.parametrize("url", ["", "127.0.0.1:6379", "http://127.0.0.1", "redis://127.0.0.1:x/0"])
def test_an_address_that_makes_no_sense_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        connect(url)
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        connect_async(url)
