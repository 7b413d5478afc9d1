"""A recommender without a stack around it, and what asks it as gateways do."""

import os
import queue
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import grpc
import psutil

from benchmarks.free_port import free_port
from infra.local.processes import probes
from infra.local.processes.program import python_module
from infra.local.servers.tables import DEMO_TENANT
from infra.local.settings import LOOPBACK
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub

# A busy machine takes a while to start Python and to load a model.
PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.05
# It cleans up a quarter of a second after a swap.
_REST_SECONDS, _LOOKS = 1.0, 20
# A gateway asks about as many at once.
_USERS_PER_REQUEST = 50


@dataclass(frozen=True)
class LoneRecommender:
    """A process that serves the tenant of the demo."""

    process: psutil.Process
    port: int

    def await_version(self, version: str) -> None:
        """Until it answers by that version. Raises TimeoutError when it does not in time."""
        question = pb.RecommendForUserRequest(tenant=DEMO_TENANT, user_id="nobody", limit=1)
        give_up = time.monotonic() + PATIENCE_SECONDS
        with grpc.insecure_channel(f"{LOOPBACK}:{self.port}") as channel:
            stub = RecommenderServiceStub(channel)
            while time.monotonic() < give_up:
                with suppress(grpc.RpcError):
                    answer = stub.RecommendForUser(question, timeout=PATIENCE_SECONDS).answer
                    if answer.model_version == version:
                        return
                time.sleep(_POLL_SECONDS)
        raise TimeoutError(f"version {version} is not served")

    def resident_bytes(self) -> int:
        """Once it has cleaned up: the least within a second."""
        sizes = []
        for _ in range(_LOOKS):
            time.sleep(_REST_SECONDS / _LOOKS)
            sizes.append(self.process.memory_info().rss)
        return min(sizes)


@contextmanager
def lone_recommender(redis_url: str) -> Iterator[LoneRecommender]:
    """On a port of its own, until the block ends; it keeps its log to itself."""
    port = free_port()
    own = {"REDIS_URL": redis_url, "RECSYS_LISTEN": f"{LOOPBACK}:{port}"}
    process = subprocess.Popen(
        python_module("services.recommender"), env=os.environ | own, stdout=subprocess.DEVNULL
    )
    try:
        _await_health(port)
        yield LoneRecommender(psutil.Process(process.pid), port)
    finally:
        process.kill()
        process.wait()


class StreamClient:
    """One stream of questions, as a gateway has one to each recommender."""

    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"{LOOPBACK}:{port}")
        self._requests = queue.SimpleQueue[pb.StreamAnswersRequest | None]()
        stub = RecommenderServiceStub(self._channel)
        self._responses: Iterator[pb.StreamAnswersResponse] = iter(
            stub.StreamAnswers(iter(self._requests.get, None))
        )
        # Told which model serves, as soon as it is connected.
        next(self._responses)

    def ask(self, user_ids: Sequence[str], limit: int = 20) -> set[str]:
        """Ask for all of these; returns the sources of the answers, or what was wrong instead."""
        found: set[str] = set()
        for start in range(0, len(user_ids), _USERS_PER_REQUEST):
            found |= self._ask(user_ids[start : start + _USERS_PER_REQUEST], limit)
        return found

    def _ask(self, user_ids: Sequence[str], limit: int) -> set[str]:
        request = pb.StreamAnswersRequest()
        for number, user_id in enumerate(user_ids):
            request.questions.add(
                number=number, tenant=DEMO_TENANT, user_id=user_id, limit=limit, budget_ms=60_000
            )
        self._requests.put(request)
        answers: list[pb.RenderedAnswer] = []
        while len(answers) < len(user_ids):
            answers += next(self._responses).answers
        return {each.error_details or pb.Source.Name(each.source) for each in answers}

    def await_draining(self) -> None:
        """Until the recommender says that it wants no further questions."""
        while not next(self._responses).draining:
            pass

    def close(self) -> None:
        self._requests.put(None)
        self._channel.close()


def _await_health(port: int) -> None:
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        with suppress(grpc.RpcError, probes.NotServing):
            return probes.grpc_health(f"{LOOPBACK}:{port}")
        time.sleep(_POLL_SECONDS)
    raise TimeoutError("the recommender did not start")
