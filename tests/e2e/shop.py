"""The shop of the end-to-end tests, as its storefront sees it."""

import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import grpc
import httpx

from infra.local.servers.tables import DEMO_TENANT
from infra.local.stack import Stack
from recsys.core.domain import Event
from recsys.rpc.v1 import recommender_pb2
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels

KNOWN_CUSTOMER = "17850"
TENANT = DEMO_TENANT


@dataclass(frozen=True)
class Shop:
    """The stack, the storefront's key and the invoice lines that were imported."""

    stack: Stack
    key: str
    lines: list[dict[str, Any]]

    def client(self, url: str | None = None, **options: Any) -> httpx.Client:
        return httpx.Client(
            base_url=url or self.stack.settings.url,
            headers={"X-API-Key": self.key},
            timeout=20,
            trust_env=False,
            **options,
        )

    def trusting(self) -> ssl.SSLContext:
        """Trusts the stack's own authority and nobody else."""
        return ssl.create_default_context(cafile=self.stack.settings.tls / "ca.pem")

    def bought_by(self, customer: str) -> set[str]:
        return {
            line["StockCode"].upper() for line in self.lines if str(line["CustomerID"]) == customer
        }

    def item_ids(self) -> list[str]:
        """Every product of the imported lines."""
        return sorted({line["StockCode"].upper() for line in self.lines})

    def published(self) -> RedisPublishedModels:
        return RedisPublishedModels(connect(self.stack.settings.redis_url))

    def serving(self) -> str:
        version = self.published().current(TENANT)
        assert version is not None
        return version

    def stored_events(self, user_id: str) -> list[Event]:
        """Read a user's events from HBase itself."""
        pool = HBasePool(self.stack.settings.hbase_thrift)
        try:
            return HBaseInteractionStore(pool).history(TENANT, user_id)
        finally:
            pool.close()

    def asked_of_each_recommender(self, user_id: str) -> list[recommender_pb2.Answer]:
        ports = self.stack.settings.ports
        request = recommender_pb2.RecommendForUserRequest(tenant=TENANT, user_id=user_id, limit=10)
        answers = []
        for port in (ports.recommender_1, ports.recommender_2):
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = RecommenderServiceStub(channel)
                answers.append(stub.RecommendForUser(request, timeout=10).answer)
        return answers


def recommendations(user_id: str, limit: int = 10) -> str:
    return f"/v1/users/{quote(user_id, safe='')}/recommendations?limit={limit}"


def similar(item_id: str, limit: int = 10) -> str:
    return f"{item(item_id)}/similar?limit={limit}"


def item(item_id: str) -> str:
    return f"/v1/items/{quote(item_id, safe='')}"


def ids_of(answer: httpx.Response) -> list[str]:
    """The recommended items of an answer that must be a good one."""
    assert answer.status_code == 200, answer.text
    return [entry["item_id"] for entry in answer.json()["items"]]


def purchase(user_id: str, item_id: str, **changes: object) -> dict[str, object]:
    return {"user_id": user_id, "item_id": item_id, "event_type": "purchase"} | changes


def posted(api: httpx.Client, *events: dict[str, object]) -> dict[str, Any]:
    answer = api.post("/v1/events", json={"events": list(events)})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
