"""Connections to Redis with finite waits: redis-py's defaults let a dead server cost seconds."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
import redis.asyncio
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from recsys.core.errors import ConfigurationError, Unavailable

__all__ = [
    "Redis",
    "clear_url_error",
    "connect",
    "connect_async",
    "reason",
    "server_time_ms",
    "to_bytes",
    "to_text",
    "translated_errors",
]

# A batch job may wait; a user may not.
BATCH_TIMEOUT_SECONDS = 10.0
SERVING_TIMEOUT_SECONDS = 0.25

# Redis Enterprise alone sends them, and waiting for them redis-py no longer looks whether a pooled
# connection has ended: each would cost one error after a restart of the server.
_NO_NOTIFICATIONS = MaintNotificationsConfig(enabled=False)
# How replies begin that redis-py makes an AuthenticationError of.
_WRONG_PASSWORD = (
    "NOAUTH",
    "WRONGPASS",
    "ERR invalid password",
    "ERR AUTH <password> called without any password",
    "ERR Client sent AUTH",
)


def connect(url: str, timeout_seconds: float = BATCH_TIMEOUT_SECONDS) -> Redis:
    """A blocking client. Raises ConfigurationError when `url` is not a Redis address."""
    with clear_url_error():
        return Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
            maint_notifications_config=_NO_NOTIFICATIONS,
        )


def connect_async(
    url: str, timeout_seconds: float = SERVING_TIMEOUT_SECONDS
) -> "redis.asyncio.Redis":
    """A client for an event loop. Raises ConfigurationError when `url` is not a Redis address."""
    with clear_url_error():
        return redis.asyncio.Redis.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
            maint_notifications_config=_NO_NOTIFICATIONS,
        )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn redis-py's errors into Unavailable."""
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise Unavailable("redis", reason(error)) from error


def reason(error: Exception) -> str:
    """What is wrong with Redis, by an error of redis-py's or an error reply as it came."""
    text = str(error) or type(error).__name__
    if isinstance(error, AuthenticationError) or text.startswith(_WRONG_PASSWORD):
        # Redis's own words differ by release, and without a password speak of its protocol.
        return "the user or password in REDIS_URL is missing or wrong (redis://USER:PASSWORD@HOST)"
    if "'maxmemory'" in text:
        return f"it is full ({text}); raise its maxmemory, or remove what other programs keep in it"
    return text


def server_time_ms(client: Redis) -> int:
    """UTC milliseconds by the server's clock."""
    with translated_errors():
        seconds, microseconds = client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def to_bytes(value: bytes | str) -> bytes:
    """Narrow a reply to bytes: redis-py's types allow for text, which no client of ours decodes."""
    return value.encode() if isinstance(value, str) else value


def to_text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


@contextmanager
def clear_url_error() -> Iterator[None]:
    """Turn what is raised for an address into ConfigurationError, without a word of it."""
    try:
        yield
    except ValueError:
        # Neither the address nor the error's words: both may hold a password, or a part of one.
        raise ConfigurationError(
            "REDIS_URL is not a Redis address: it begins with redis://, rediss:// or unix://, as in"
            " redis://USER:PASSWORD@HOST:PORT/0; in a password, write / as %2F, # as %23,"
            " ? as %3F, @ as %40, : as %3A and % as %25"
        ) from None
