"""A file of settings that breaks is told of by a recommender that nobody asks for anything."""

from pathlib import Path

import httpx
import pytest

from benchmarks.free_port import free_port
from benchmarks.serving.lone_recommender import lone_recommender
from infra.local.servers.tables import DEMO_TENANT
from tests.eventually import eventually
from tests.integration.redis_server import RedisServer

pytestmark = pytest.mark.redis

BROKEN = "[event_types"


@pytest.mark.parametrize("file", ["shops", "api_keys"])
def test_it_counts_a_broken_file_without_a_request(
    file: str, server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, keys = free_port(), tmp_path / "keys"
    keys.touch()
    monkeypatch.setenv("RECSYS_METRICS_LISTEN", f"127.0.0.1:{port}")
    monkeypatch.setenv("RECSYS_SHOP_CONFIG", str(tmp_path))
    monkeypatch.setenv("RECSYS_API_KEYS", str(keys))
    monkeypatch.setenv("RECSYS_SERVICE_TOKEN", "0123456789abcdef")
    with lone_recommender(server.url):
        {"shops": tmp_path / f"{DEMO_TENANT}.toml", "api_keys": keys}[file].write_text(BROKEN)
        counted = f'recsys_settings_refused_total{{file="{file}"}} 1.0'
        metrics = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)
        eventually(lambda: counted in metrics.get("/metrics").text)
