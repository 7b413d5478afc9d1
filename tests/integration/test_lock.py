"""One nightly run of a tenant at a time, on a real Redis."""

import subprocess
import sys
import time

import pytest

from recsys.core.errors import AlreadyRunning, Unavailable
from recsys.stores.redis import keys
from recsys.stores.redis.connect import Redis, connect
from recsys.stores.redis.lock import nightly_lock
from tests.eventually import eventually

pytestmark = pytest.mark.redis
HELD_SECONDS = 0.6

_HOLDER = """
import sys, time
from recsys.stores.redis.connect import connect
from recsys.stores.redis.lock import nightly_lock
with nightly_lock(connect(sys.argv[1]), "shop", print, held_seconds=float(sys.argv[2])):
    time.sleep(60)
"""


def test_the_second_of_two_runs_at_once_is_refused(redis: Redis) -> None:
    with (
        nightly_lock(redis, "shop", print, HELD_SECONDS),
        pytest.raises(AlreadyRunning, match="another nightly run of shop"),
        nightly_lock(redis, "shop", print, HELD_SECONDS),
    ):
        pytest.fail("both hold the lock")


def test_a_run_that_waits_for_another_says_so_and_one_that_need_not_says_nothing(
    redis: Redis,
) -> None:
    said: list[str] = []
    with (
        nightly_lock(redis, "shop", said.append, HELD_SECONDS),
        pytest.raises(AlreadyRunning),
        nightly_lock(redis, "shop", said.append, HELD_SECONDS),
    ):
        pytest.fail("both hold the lock")

    assert said == ["another run of shop holds its lock: waiting up to 1 s, in case it has died"]


def test_a_run_may_take_longer_than_the_lock_lasts(redis: Redis) -> None:
    with nightly_lock(redis, "shop", print, HELD_SECONDS):
        until = time.monotonic() + 3 * HELD_SECONDS
        eventually(lambda: time.monotonic() > until or not redis.exists(keys.nightly_lock("shop")))

        assert redis.exists(keys.nightly_lock("shop"))


def test_tenants_do_not_wait_for_each_other(redis: Redis) -> None:
    with (
        nightly_lock(redis, "shop", print, HELD_SECONDS),
        nightly_lock(redis, "othershop", print, HELD_SECONDS),
    ):
        pass


def test_the_next_run_starts_as_soon_as_one_has_ended(redis: Redis) -> None:
    for _ in range(3):
        with nightly_lock(redis, "shop", print):
            pass


def test_a_run_that_failed_leaves_no_lock(redis: Redis) -> None:
    def fail() -> None:
        with nightly_lock(redis, "shop", print):
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not redis.exists(keys.nightly_lock("shop"))


def test_the_lock_of_a_killed_run_frees_itself(redis: Redis, redis_url: str) -> None:
    command = [sys.executable, "-c", _HOLDER, redis_url, str(2 * HELD_SECONDS)]
    with subprocess.Popen(command) as holder:
        eventually(lambda: redis.exists(keys.nightly_lock("shop")))
        holder.kill()

    with nightly_lock(redis, "shop", print, 2 * HELD_SECONDS):
        assert redis.exists(keys.nightly_lock("shop"))


def test_a_lock_that_was_lost_is_not_taken_from_the_next_holder(redis: Redis) -> None:
    with nightly_lock(redis, "shop", print):
        redis.set(keys.nightly_lock("shop"), b"somebody else")

    assert redis.get(keys.nightly_lock("shop")) == b"somebody else"


def test_without_redis_no_run_starts() -> None:
    with (
        pytest.raises(Unavailable, match="redis"),
        nightly_lock(connect("redis://127.0.0.1:1/0"), "shop", print),
    ):
        pytest.fail("it runs without a lock")
