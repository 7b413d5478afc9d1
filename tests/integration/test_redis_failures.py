"""Redis is slow, dead or back again: waits are short, and errors are ours."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from recsys.core.behaviour import RecentEvents
from recsys.core.domain import Event
from recsys.core.errors import ConfigurationError, Unavailable
from recsys.core.ports import ReadUser, UserLookup
from recsys.stores.redis.connect import Redis, connect, connect_async
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from recsys.stores.redis.multiplexed import TIMEOUT_SECONDS, MultiplexedRedis
from recsys.stores.redis.published import RedisPublishedModels
from recsys.stores.redis.recent import RedisRecentBehaviour
from recsys.stores.redis.serving import RedisServingStore
from tests.builders import EVENT_TYPES, a_user_batch
from tests.contract.test_published_models import a_user
from tests.integration.redis_server import RedisServer, RoundTrips
from tests.integration.slow_proxy import SlowProxy
from tests.redis_fixture import Ask, shared_connection

pytestmark = pytest.mark.redis
EVENT = Event("e", "ann", "lamp", "view", 5)
ANN = UserLookup("shop", "v1", "ann")


@pytest.fixture
def redis(server: RedisServer) -> Iterator[Redis]:
    with connect(server.url, timeout_seconds=0.25) as client:
        yield client


@pytest.fixture
def shared(server: RedisServer, ask: Ask) -> Iterator[MultiplexedRedis]:
    connection = ask(shared_connection(server.url, TIMEOUT_SECONDS))
    yield connection
    ask(connection.aclose())


@pytest.fixture
def serving(server: RedisServer, shared: MultiplexedRedis, ask: Ask) -> Iterator[RedisServingStore]:
    client = connect_async(server.url)
    yield RedisServingStore(client, shared)
    ask(client.aclose())


async def until_available(shared: MultiplexedRedis) -> None:
    async with asyncio.timeout(5):
        while not shared.is_available:
            await asyncio.sleep(0.01)


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
        lambda: ask(serving.catalogue_position("shop")),
        lambda: ask(serving.catalogue_changes("shop", None)),
        lambda: ask(serving.item_model("shop", "v1")),
        lambda: ask(serving.users([ANN])),
    ):
        assert seconds_to_fail(read) < 0.2


def test_every_write_to_a_dead_redis_fails_at_once(server: RedisServer, redis: Redis) -> None:
    redis.ping()
    server.kill()
    published, live = RedisPublishedModels(redis), RedisLiveCatalogue(redis)

    for write in (
        lambda: RedisRecentBehaviour(redis, lambda _: EVENT_TYPES).record("shop", [EVENT], 1),
        lambda: live.write("shop", {"lamp": None}),
        lambda: live.known("shop", ["lamp"]),
        lambda: list(live.ids("shop")),
        lambda: live.forget_gone("shop", ["lamp"]),
        lambda: published.current("shop"),
        lambda: published.write_items("shop", "v1", b"{}", b"items"),
        lambda: published.write_users("shop", "v1", a_user_batch({"ann": a_user(1)})),
        lambda: published.count_users("shop", "v1", ["ann"]),
        lambda: published.activate("shop", "v1"),
        lambda: published.retire("shop", []),
    ):
        assert seconds_to_fail(write) < 0.2


def test_a_redis_that_hangs_costs_those_who_wait_the_timeout_and_nobody_after_them(
    server: RedisServer, shared: MultiplexedRedis, serving: RedisServingStore, ask: Ask
) -> None:
    ask(until_available(shared))
    server.pause()

    first = seconds_to_fail(lambda: ask(serving.users([ANN])))
    later = [seconds_to_fail(lambda: ask(serving.users([ANN]))) for _ in range(20)]
    server.resume()

    assert TIMEOUT_SECONDS <= first < 2 * TIMEOUT_SECONDS + 0.1
    assert sum(later) < TIMEOUT_SECONDS
    ask(until_available(shared))
    assert ask(serving.users([ANN])) == [ReadUser(None, RecentEvents((), list))]


def test_a_redis_that_answers_too_slowly_is_left_alone_until_it_is_quick_again(
    server: RedisServer, ask: Ask
) -> None:
    proxy = SlowProxy(server.url)
    with proxy:
        shared = ask(shared_connection(proxy.url, TIMEOUT_SECONDS))
        serving = RedisServingStore(connect_async(server.url), shared)
        ask(until_available(shared))
        proxy.delay_seconds = 0.3
        seconds_to_fail(lambda: ask(serving.users([ANN])))
        ask(asyncio.sleep(1.0))
        assert not shared.is_available
        proxy.delay_seconds = 0.0
        ask(until_available(shared))
        # What came too late was nobody's.
        RedisRecentBehaviour(connect(server.url), lambda _: EVENT_TYPES).record("shop", [EVENT], 1)
        [read] = ask(serving.users([ANN]))
        assert [event.item_id for event in read.recent.events()] == ["lamp"]
        ask(shared.aclose())


def test_many_readers_share_a_connection_and_get_their_own_answers(
    server: RedisServer, redis: Redis, serving: RedisServingStore, ask: Ask
) -> None:
    users = {f"user {number}": a_user(number) for number in range(1, 50)}
    RedisPublishedModels(redis).write_users("shop", "v1", a_user_batch(users))

    async def read_all() -> list[list[ReadUser]]:
        return await asyncio.gather(
            *(serving.users([UserLookup("shop", "v1", user_id)]) for user_id in users)
        )

    for [read], user in zip(ask(read_all()), users.values(), strict=True):
        assert read.stored is not None
        assert read.stored.items.tolist() == user.items.tolist()
    with connect(server.url) as client:
        # The readers' one, the writer's, the store's own and this one.
        assert len(client.client_list()) <= 4


def test_an_answer_that_came_too_late_is_not_taken_for_the_next_one(
    server: RedisServer, redis: Redis, serving: RedisServingStore, ask: Ask
) -> None:
    RedisPublishedModels(redis).activate("shop", "v1")
    RedisLiveCatalogue(redis).write("shop", {"lamp": None})
    position = ask(serving.catalogue_position("shop"))
    ask(serving.current("shop"))
    server.pause()
    seconds_to_fail(lambda: ask(serving.current("shop")))
    server.resume()

    assert ask(serving.catalogue_position("shop")) == position


def test_clients_find_a_restarted_redis_by_themselves(
    server: RedisServer,
    redis: Redis,
    shared: MultiplexedRedis,
    serving: RedisServingStore,
    ask: Ask,
) -> None:
    published = RedisPublishedModels(redis)
    published.activate("shop", "v1")
    assert ask(serving.current("shop")) == "v1"

    ask(until_available(shared))
    server.kill()
    server.start()
    # A service's event loop never stands still, and so has seen the old connection end.
    ask(asyncio.sleep(0))

    assert ask(serving.current("shop")) == "v1"
    assert published.current("shop") == "v1"
    ask(until_available(shared))
    assert ask(serving.users([ANN])) == [ReadUser(None, RecentEvents((), list))]


def test_all_users_of_a_batch_are_read_in_one_round_trip(
    server: RedisServer, redis: Redis, ask: Ask
) -> None:
    RedisPublishedModels(redis).write_users("shop", "v1", a_user_batch({"ann": a_user(1)}))
    RedisRecentBehaviour(redis, lambda _: EVENT_TYPES).record("shop", [EVENT], 1)
    counter = RoundTrips(server.url)
    client, shared = connect_async(server.url), ask(shared_connection(counter.url))
    ask(until_available(shared))
    before = counter.count

    batch = [ANN, UserLookup("shop", "v1", "bob"), replace(ANN, with_record=False)]
    ann, bob, again = ask(RedisServingStore(client, shared).users(batch))

    assert counter.count - before == 1
    assert ann.stored is not None
    assert len(ann.recent.events()) == 1
    assert (bob.stored, bob.recent.events()) == (None, [])
    assert (again.stored, again.recent) == (None, ann.recent)
    ask(shared.aclose())
    ask(client.aclose())
    counter.close()


@pytest.mark.parametrize("user", ["", ":wrong@"], ids=["no password", "a wrong one"])
def test_a_wrong_password_leaves_the_connection_unavailable_and_is_logged(
    server: RedisServer, redis: Redis, user: str, ask: Ask
) -> None:
    redis.config_set("requirepass", "secret")

    with capture_logs() as lines:
        shared = ask(shared_connection(server.url.replace("://", f"://{user}"), TIMEOUT_SECONDS))
        for _ in range(3):
            with pytest.raises(Unavailable, match="password in REDIS_URL is missing or wrong"):
                ask(shared.execute(b"*1\r\n$4\r\nPING\r\n", 1))
            ask(asyncio.sleep(0.15))
        assert not shared.is_available
        ask(shared.aclose())

    told = [line["reason"] for line in lines if line["event"] == "redis_unavailable"]
    [wrong] = [reason for reason in told if "password in REDIS_URL is missing or wrong" in reason]
    assert told.count(wrong) == 1


def test_a_password_that_a_restarted_redis_asks_for_is_logged_once(
    server: RedisServer, shared: MultiplexedRedis, redis: Redis, ask: Ask
) -> None:
    ask(until_available(shared))
    with capture_logs() as lines:
        redis.config_set("requirepass", "secret")
        redis.client_kill_filter(_type="normal", skipme=True)
        ask(asyncio.sleep(0.5))
        assert not shared.is_available
        redis.config_set("requirepass", "")
        ask(until_available(shared))

    told = [line["reason"] for line in lines if line["event"] == "redis_unavailable"]
    assert len([each for each in told if "REDIS_URL is missing or wrong" in each]) == 1
    assert len(told) == len(set(told))


@pytest.mark.parametrize("url", ["", "127.0.0.1:6379", "http://127.0.0.1", "redis://127.0.0.1:x/0"])
def test_an_address_that_makes_no_sense_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        connect(url)
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        connect_async(url)
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        asyncio.run(shared_connection(url))


@pytest.mark.parametrize("user", ["", ":wrong@"], ids=["no password", "a wrong one"])
def test_a_password_that_is_missing_or_wrong_is_said_with_where_it_stands(
    server: RedisServer, redis: Redis, user: str
) -> None:
    redis.config_set("requirepass", "secret")

    with (
        connect(server.url.replace("://", f"://{user}")) as client,
        pytest.raises(Unavailable, match=r"the user or password in REDIS_URL is missing or wrong"),
    ):
        RedisPublishedModels(client).current("shop")
