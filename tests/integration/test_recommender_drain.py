"""A recommender that is told to stop, while a gateway is connected to it."""

import httpx
import pytest

from benchmarks.free_port import free_port
from benchmarks.serving.lone_recommender import StreamClient, lone_recommender
from tests.integration.redis_server import RedisServer

pytestmark = pytest.mark.redis

_STOPPED_WITHIN_SECONDS = 30


def test_it_says_so_at_once_and_shows_its_metrics_until_the_last_gateway_has_left(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv("RECSYS_METRICS_LISTEN", f"127.0.0.1:{port}")
    with lone_recommender(server.url) as recommender:
        gateway = StreamClient(recommender.port)
        recommender.process.terminate()
        gateway.await_draining()
        page = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
        assert page.is_success
        assert "recsys_busy_ratio" in page.text
        gateway.close()
        assert recommender.process.wait(_STOPPED_WITHIN_SECONDS) == 0
