"""One nightly run at a time: a lock that frees itself soon after its holder dies."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import redis
from redis.exceptions import LockError
from redis.lock import Lock

from recsys.core.errors import AlreadyRunning, LockLost
from recsys.stores.redis import keys
from recsys.stores.redis.connect import to_text, translated_errors

# A dead holder blocks the next run this long; a live one renews three times as often.
HELD_SECONDS = 30.0


class HeldLock:
    """The lock while a run holds it.

    Attributes:
        token: unlike that of any other run; what Redis has under the lock's key.
    """

    def __init__(self, client: "redis.Redis", tenant: str, token: str) -> None:
        self._redis = client
        self._tenant = tenant
        self.token = token

    def check(self) -> None:
        """Stop a run that lost the lock, before it writes anything more.

        Raises:
            LockLost: when the lock has expired or another run holds it.
            Unavailable: when Redis does not answer.
        """
        with translated_errors():
            holder = self._redis.get(keys.nightly_lock(self._tenant))
        if holder is None or to_text(holder) != self.token:
            raise LockLost(
                f"this run of {self._tenant} lost its lock, and another one may have begun:"
                " it stops here and publishes nothing; run it again"
            )


@contextmanager
def nightly_lock(
    client: "redis.Redis",
    tenant: str,
    say: Callable[[str], None],
    held_seconds: float = HELD_SECONDS,
) -> Iterator[HeldLock]:
    """Hold the tenant's lock, waiting out a holder that died.

    Args:
        say: is told of the wait, if there is one.

    Raises:
        AlreadyRunning: when another run is alive and holds it.
        Unavailable: when Redis does not answer.
    """
    lock = client.lock(keys.nightly_lock(tenant), timeout=held_seconds, thread_local=False)
    token = secrets.token_hex(16)
    wait_seconds = 1.1 * held_seconds
    with translated_errors():
        taken = lock.acquire(blocking=False, token=token)
        if not taken:
            say(
                f"another run of {tenant} holds its lock: waiting up to {wait_seconds:.0f} s,"
                " in case it has died"
            )
            taken = lock.acquire(blocking_timeout=wait_seconds, token=token)
    if not taken:
        raise AlreadyRunning(f"another nightly run of {tenant} is under way; let it finish first")
    done = Event()
    renewal = Thread(target=_renew, args=(lock, done, held_seconds / 3), daemon=True)
    renewal.start()
    try:
        yield HeldLock(client, tenant, token)
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
