"""A clock that is wrong shows at the service that has it."""

import math

import pytest

from benchmarks.free_port import free_port
from recsys.clock import utc_now_ms
from recsys.stores.redis.connect import connect
from services.ingest import main
from tests.integration.redis_server import RedisServer

pytestmark = pytest.mark.redis


@pytest.mark.parametrize("behind_seconds", [0, 300])
def test_an_ingest_service_tells_how_far_its_clock_is_from_that_of_redis(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, behind_seconds: int
) -> None:
    monkeypatch.setattr(main, "utc_now_ms", lambda: utc_now_ms() - 1000 * behind_seconds)
    with connect(server.url) as redis:
        assert main.clock_ahead_seconds(redis) == pytest.approx(-behind_seconds, abs=5)


def test_it_is_not_known_while_redis_is_away() -> None:
    with connect(f"redis://127.0.0.1:{free_port()}") as redis:
        assert math.isnan(main.clock_ahead_seconds(redis))
