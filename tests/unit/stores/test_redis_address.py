"""A Redis address that is none: what is wrong is said, and its password is not."""

import asyncio
from collections.abc import Callable

import pytest

from recsys.core.errors import ConfigurationError
from recsys.stores.redis.connect import connect, connect_async
from recsys.stores.redis.multiplexed import MultiplexedRedis


async def _shared(url: str) -> MultiplexedRedis:
    return MultiplexedRedis(url)


@pytest.mark.parametrize(
    "connected", [connect, connect_async, lambda url: asyncio.run(_shared(url))]
)
@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter/2@localhost:6379",
        "redis://:hunter#2@localhost:6379",
        "redis://:hunter?2@localhost:6379",
        "redis://shop:hunter\u2100@localhost",
        "http://:hunter@localhost",
        "hunter@localhost:6379",
    ],
)
def test_no_part_of_a_password_is_in_the_message(
    connected: Callable[[str], object], url: str
) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL is not a Redis address") as caught:
        connected(url)
    assert "hunter" not in str(caught.value)
    assert "write / as %2F" in str(caught.value)
