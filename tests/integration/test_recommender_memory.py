"""A recommender's memory over many swaps, with gateways that ask, hang up and come again."""

import os
import queue
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import grpc
import psutil
import pytest

from infra.local import probes
from infra.local.program import python_module
from recsys.core.behaviour import StoredUser
from recsys.core.ranking import top_n
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub
from recsys.stores.model_codec import pack_items
from recsys.stores.model_files import ITEMS
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels
from tests.builders import a_history, a_manifest, a_user_block, an_item_side, sha256
from tests.eventually import eventually
from tests.free_port import free_port
from tests.integration.redis_server import RedisServer

pytestmark = pytest.mark.redis

_VERSIONS = ("20260101T000000Z-aaaaaaaa", "20260102T000000Z-bbbbbbbb")
_ITEMS, _FACTORS, _USERS, _SWAPS = 20_000, 64, 200, 16
# By then the allocator has seen a model come and another one go a few times.
_SETTLED_AFTER = 5
# One model takes 10 MiB of 110: a single one that is not freed shows.
_GROWTH = 1.05
# A second of them.
_SAMPLES = 20


@pytest.fixture
def published(server: RedisServer) -> Iterator[RedisPublishedModels]:
    """Two versions of a shop; none serves."""
    with connect(server.url) as client:
        models = RedisPublishedModels(client)
        for seed, version in enumerate(_VERSIONS):
            side = an_item_side(_ITEMS, _FACTORS, seed)
            items = pack_items(side)
            manifest = a_manifest(version, sha256={ITEMS: sha256(items)})
            models.write_items("shop", version, manifest.to_json(), items)
            best = top_n(side.factors[:, 0], 100)
            user = StoredUser(best, side.factors[best, 0], a_history(range(50)))
            models.write_users("shop", version, a_user_block(dict.fromkeys(_user_ids(), user)))
        yield models


@contextmanager
def recommender(redis_url: str) -> Iterator[tuple[psutil.Process, int]]:
    """A process of its own, and its port."""
    port = free_port()
    own = {"REDIS_URL": redis_url, "RECSYS_TENANTS": "shop", "RECSYS_LISTEN": f"127.0.0.1:{port}"}
    process = subprocess.Popen(python_module("services.recommender"), env=os.environ | own)
    try:
        eventually(lambda: _serves(port), within_seconds=60)
        yield psutil.Process(process.pid), port
    finally:
        process.kill()
        process.wait()


class Gateway:
    """One stream of questions."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self._questions = queue.SimpleQueue[pb.StreamAnswersRequest | None]()
        self._answers = RecommenderServiceStub(self._channel).StreamAnswers(
            iter(self._questions.get, None)
        )
        # Told which model serves.
        next(self._answers)

    def ask(self) -> set[str]:
        """Ask for every user; returns the sources."""
        request = pb.StreamAnswersRequest()
        for number, user_id in enumerate(_user_ids()):
            request.questions.add(
                number=number, tenant="shop", user_id=user_id, limit=20, budget_ms=5000
            )
        self._questions.put(request)
        answers: list[pb.RenderedAnswer] = []
        while len(answers) < len(request.questions):
            answers += next(self._answers).answers
        assert not any(answer.error_code for answer in answers)
        return {pb.Source.Name(answer.source) for answer in answers}

    def close(self) -> None:
        self._questions.put(None)
        self._channel.close()


def test_memory_stays_flat_over_swaps_with_gateways_that_come_and_go(
    server: RedisServer, published: RedisPublishedModels
) -> None:
    published.activate("shop", _VERSIONS[0])
    sizes: list[int] = []
    with recommender(server.url) as (process, port), _asker(port) as serving:
        eventually(lambda: serving() == _VERSIONS[0], within_seconds=60)
        staying, leaving = Gateway(port), Gateway(port)
        for swap in range(1, _SWAPS + 1):
            version = _VERSIONS[swap % 2]
            published.activate("shop", version)
            eventually(lambda version=version: serving() == version, within_seconds=60)
            assert staying.ask() == leaving.ask() == {"SOURCE_STORED"}
            leaving.close()
            leaving = Gateway(port)
            sizes.append(_settled(process))
        staying.close()
        leaving.close()
    settled = max(sizes[:_SETTLED_AFTER])
    assert max(sizes[_SETTLED_AFTER:]) <= _GROWTH * settled, [size >> 20 for size in sizes]


def _user_ids() -> list[str]:
    return [f"user-{row}" for row in range(_USERS)]


def _serves(port: int) -> bool:
    with suppress(grpc.RpcError, probes.NotServing):
        probes.grpc_health(f"127.0.0.1:{port}")
        return True
    return False


@contextmanager
def _asker(port: int) -> Iterator[Callable[[], str]]:
    """Tells which version answers."""
    question = pb.RecommendForUserRequest(tenant="shop", user_id="nobody", limit=1)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = RecommenderServiceStub(channel)
        yield lambda: stub.RecommendForUser(question, timeout=10).answer.model_version


def _settled(process: psutil.Process) -> int:
    """Its memory once it has cleaned up after the swap: the least within a second."""
    sizes: list[int] = []

    def sampled() -> bool:
        sizes.append(process.memory_info().rss)
        return len(sizes) >= _SAMPLES

    eventually(sampled)
    return min(sizes)
