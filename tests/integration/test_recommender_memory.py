"""A recommender's memory over many swaps, with gateways that ask, hang up and come again."""

from collections.abc import Iterator

import pytest

from benchmarks.serving.lone_recommender import StreamClient, lone_recommender
from infra.local.servers.tables import DEMO_TENANT
from recsys.core.behaviour import StoredUser
from recsys.core.ranking import top_n
from recsys.stores.model_codec import pack_items
from recsys.stores.model_files import ITEMS
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels
from tests.builders import a_history, a_manifest, a_user_batch, an_item_model, sha256
from tests.integration.redis_server import RedisServer

pytestmark = pytest.mark.redis

_VERSIONS = ("20260101T000000Z-aaaaaaaa", "20260102T000000Z-bbbbbbbb")
_ITEMS, _FACTORS, _SWAPS = 20_000, 64, 16
_USER_IDS = [f"user-{row}" for row in range(200)]
# By then the allocator has seen a model come and another one go a few times.
_SETTLED_AFTER = 5
# One model takes 10 MiB of 110: a single one that is not freed shows.
_GROWTH = 1.05


@pytest.fixture
def published(server: RedisServer) -> Iterator[RedisPublishedModels]:
    """Two versions of a shop; the first one serves."""
    with connect(server.url) as client:
        models = RedisPublishedModels(client)
        for seed, version in enumerate(_VERSIONS):
            side = an_item_model(_ITEMS, _FACTORS, seed)
            items = pack_items(side)
            manifest = a_manifest(version, tenant=DEMO_TENANT, sha256={ITEMS: sha256(items)})
            models.write_items(DEMO_TENANT, version, manifest.to_json(), items)
            best = top_n(side.factors[:, 0], 100)
            user = StoredUser(best, side.factors[best, 0], a_history(range(50)))
            users = a_user_batch(dict.fromkeys(_USER_IDS, user))
            models.write_users(DEMO_TENANT, version, users)
        models.activate(DEMO_TENANT, _VERSIONS[0])
        yield models


def test_memory_stays_flat_over_swaps_with_gateways_that_come_and_go(
    server: RedisServer, published: RedisPublishedModels
) -> None:
    sizes: list[int] = []
    with lone_recommender(server.url) as recommender:
        recommender.await_version(_VERSIONS[0])
        staying, leaving = StreamClient(recommender.port), StreamClient(recommender.port)
        for swap in range(1, _SWAPS + 1):
            version = _VERSIONS[swap % 2]
            published.activate(DEMO_TENANT, version)
            recommender.await_version(version)
            for gateway in (staying, leaving):
                assert gateway.ask(_USER_IDS) == {"SOURCE_STORED"}
            leaving.close()
            leaving = StreamClient(recommender.port)
            sizes.append(recommender.resident_bytes())
        staying.close()
        leaving.close()
    settled = max(sizes[:_SETTLED_AFTER])
    assert max(sizes[_SETTLED_AFTER:]) <= _GROWTH * settled, [size >> 20 for size in sizes]
