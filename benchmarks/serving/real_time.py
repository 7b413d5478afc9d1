"""From an event's acknowledgement to another list of its shopper, at every replica."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import grpc
import httpx
import numpy as np

from benchmarks.serving.chains import Chain, kind_of
from benchmarks.serving.generator import Open, Vegeta
from benchmarks.serving.rows import LIMIT, Row, recommendations
from infra.local.servers.tables import DEMO_TENANT
from infra.local.settings import LOOPBACK
from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub

_PATIENCE_SECONDS = 10.0
_TURN_SECONDS = 5.0
_TITLES = {
    "acknowledged": "posted to acknowledged",
    "visible": "acknowledged to a different list at every replica",
}


@dataclass(frozen=True)
class Seen:
    """Of one event: how long the acknowledgement took, and from there until all had seen it."""

    acknowledged_seconds: float
    visible_seconds: float


class Watcher:
    """Buys what is recommended first, and asks until nobody recommends it any more."""

    def __init__(self, api: httpx.Client, recommenders: Sequence[RecommenderServiceStub]) -> None:
        self._api = api
        self._recommenders = recommenders

    def watch(self, user_id: str) -> Seen:
        """Raises SystemExit when the list has not changed everywhere after ten seconds."""
        before = self._list(user_id)
        purchase = {"user_id": user_id, "item_id": before[0], "event_type": "purchase"}
        started = time.perf_counter()
        self._api.post("/v1/events", json={"events": [purchase]}).raise_for_status()
        acknowledged = time.perf_counter()
        while not self._changed_everywhere(user_id, before):
            if time.perf_counter() - acknowledged > _PATIENCE_SECONDS:
                raise SystemExit(f"the list of {user_id} has not changed")
        return Seen(acknowledged - started, time.perf_counter() - acknowledged)

    def _changed_everywhere(self, user_id: str, before: list[str]) -> bool:
        """Through the balancer, and asked of each recommender itself."""
        question = pb.RecommendForUserRequest(tenant=DEMO_TENANT, user_id=user_id, limit=LIMIT)
        answers = (stub.RecommendForUser(question, timeout=1) for stub in self._recommenders)
        lists = ([item.item_id for item in response.answer.items] for response in answers)
        return self._list(user_id) != before and all(found != before for found in lists)

    def _list(self, user_id: str) -> list[str]:
        answer = self._api.get(recommendations(user_id)).raise_for_status()
        return [item["item_id"] for item in answer.json()["items"]]


@contextmanager
def watcher(chain: Chain) -> Iterator[Watcher]:
    ports = chain.settings.ports
    replicas = [name for name in chain.pids if kind_of(name) == "recommender"]
    with ExitStack() as open_:
        api = open_.enter_context(chain.client())
        stubs = []
        for name in replicas:
            target = f"{LOOPBACK}:{getattr(ports, name.replace('-', '_'))}"
            stubs.append(RecommenderServiceStub(open_.enter_context(grpc.insecure_channel(target))))
        yield Watcher(api, stubs)


@contextmanager
def under_load(vegeta: Vegeta, row: Row, per_second: int) -> Iterator[None]:
    """Ask for the row beside what the block does, until it ends."""
    ended = threading.Event()

    def ask_on() -> None:
        while not ended.is_set():
            vegeta.attack(row.chain.url, row.headers, row.requests, Open(per_second), _TURN_SECONDS)

    thread = threading.Thread(target=ask_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def table(seen: Sequence[Seen], load: str) -> str:
    """Percentiles in milliseconds."""
    lines = [
        f"**{len(seen)} events, {load}**",
        "",
        "| ms | p50 | p95 | p99 | most |",
        "|---" * 5 + "|",
    ]
    for name, title in _TITLES.items():
        values = [1000 * getattr(one, f"{name}_seconds") for one in seen]
        cells = [f"{found:.1f}" for found in np.percentile(values, (50, 95, 99, 100))]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)
