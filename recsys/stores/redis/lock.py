"""One nightly run at a time: a lock that frees itself soon after its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import redis
from redis.exceptions import LockError
from redis.lock import Lock

from recsys.core.errors import AlreadyRunning
from recsys.stores.redis import keys
from recsys.stores.redis.connect import translated_errors

# A dead holder blocks the next run this long; a live one renews three times as often.
HELD_SECONDS = 30.0


@contextmanager
def nightly_lock(
    client: "redis.Redis", tenant: str, held_seconds: float = HELD_SECONDS
) -> Iterator[None]:
    """Hold the tenant's lock, waiting out a holder that died.

    Raises:
        AlreadyRunning: when another run is alive and holds it.
        Unavailable: when Redis does not answer.
    """
    lock = client.lock(keys.nightly_lock(tenant), timeout=held_seconds, thread_local=False)
    with translated_errors():
        taken = lock.acquire(blocking_timeout=1.1 * held_seconds)
    if not taken:
        raise AlreadyRunning(f"another nightly run of {tenant} is under way; let it finish first")
    done = Event()
    renewal = Thread(target=_renew, args=(lock, done, held_seconds / 3), daemon=True)
    renewal.start()
    try:
        yield
    finally:
        done.set()
        renewal.join()
        # Whatever the run did stands; a lock that cannot be released expires by itself.
        with suppress(LockError, redis.RedisError):
            lock.release()


def _renew(lock: Lock, done: Event, every_seconds: float) -> None:
    while not done.wait(every_seconds):
        # Redis may be back before the lock expires; the next round tries again.
        with suppress(LockError, redis.RedisError):
            lock.reacquire()
