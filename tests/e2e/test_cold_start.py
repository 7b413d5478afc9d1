"""New shops, before their first model: on services of their own, on the stack's stores."""

from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from infra.local.stack import Stack
from recsys.auth.api_keys import Scope
from recsys.auth.key_file import create_key
from recsys.stores.model_codec import pack_items
from recsys.stores.model_files import ITEMS
from recsys.stores.redis.connect import connect
from recsys.stores.redis.published import RedisPublishedModels
from tests.builders import a_manifest, an_item_model, sha256
from tests.e2e.shop import ids_of, item, posted, purchase, recommendations, similar
from tests.eventually import eventually
from tests.faults.own_services import OwnServices
from tests.hbase_fixture import MakeTables

SERVICE = "recsys.rpc.v1.RecommenderService"
SERVING, NOT_SERVING = (
    health_pb2.HealthCheckResponse.SERVING,
    health_pb2.HealthCheckResponse.NOT_SERVING,
)
TENANTS = ("emptyshop", "newshop", "firstmodel")


@dataclass(frozen=True)
class NewShops:
    """The services of shops that have tables and keys, and nothing else."""

    services: OwnServices
    keys: dict[str, str]

    def client(self, tenant: str) -> httpx.Client:
        headers = {"X-API-Key": self.keys[tenant]}
        url = self.services.url
        return httpx.Client(base_url=url, headers=headers, timeout=20, trust_env=False)

    def health(self, service: str) -> int:
        with grpc.insecure_channel(self.services.recommender_address) as channel:
            request = health_pb2.HealthCheckRequest(service=service)
            return health_pb2_grpc.HealthStub(channel).Check(request, timeout=10).status


@pytest.fixture(scope="module")
def new_shops(
    stack: Stack, make_tables: MakeTables, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NewShops]:
    for tenant in TENANTS:
        make_tables(tenant)
    scopes = list(Scope)
    keys = {tenant: create_key(stack.settings.api_keys, tenant, scopes) for tenant in TENANTS}
    logs = tmp_path_factory.mktemp("new-shops")
    with OwnServices(stack, logs, RECSYS_TENANTS=",".join(TENANTS)) as services:
        yield NewShops(services, keys)


def test_of_an_empty_shop_every_answer_is_an_empty_list(new_shops: NewShops) -> None:
    with new_shops.client("emptyshop") as api:
        for path in (recommendations("ann"), similar("lamp"), "/v1/recommendations?item_id=lamp"):
            answer = api.get(path)
            assert ids_of(answer) == []
            body = answer.json()
            assert (body["source"], body["model_version"], body["degraded"]) == (
                "popular",
                None,
                True,
            )


def test_a_new_shop_is_told_from_an_outage(new_shops: NewShops) -> None:
    with new_shops.client("emptyshop") as api:
        ready = api.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["parts"] == {"recommender": "no model yet", "ingest": "ready"}
    assert new_shops.health(SERVICE) == SERVING
    assert new_shops.health(f"{SERVICE}/emptyshop") == NOT_SERVING


def test_a_new_shop_shows_what_is_popular_then_its_catalogue(new_shops: NewShops) -> None:
    with new_shops.client("newshop") as api:
        for item_id in ("chair", "lamp", "rug", "table"):
            assert api.put(item(item_id), json={"title": f"A {item_id}"}).status_code == 200
        api.put(item("sold out"), json={"available": False})
        posted(
            api, purchase("ann", "rug"), purchase("ann", "sold out"), purchase("ann", "invented")
        )
        posted(api, *(purchase(f"u{n}", "table", event_type="view") for n in range(4)))

        eventually(lambda: ids_of(api.get(recommendations("bob")))[:2] == ["rug", "table"])

        answer = api.get(recommendations("bob"))
        assert ids_of(answer) == ["rug", "table", "chair", "lamp"]
        assert answer.json()["items"][0] == {
            "item_id": "rug",
            "title": "A rug",
            "price": None,
            "score": None,
        }
        assert ids_of(api.get(recommendations("ann"))) == ["table", "chair", "lamp"]
        assert ids_of(api.get(similar("table"))) == ["rug", "chair", "lamp"]


def test_the_first_model_takes_over_and_other_shops_go_on_without_one(
    stack: Stack, new_shops: NewShops
) -> None:
    items = pack_items(an_item_model())
    manifest = a_manifest("v1", sha256={ITEMS: sha256(items)})
    with new_shops.client("firstmodel") as api, new_shops.client("emptyshop") as other:
        assert api.get(recommendations("ann")).json()["model_version"] is None
        with connect(stack.settings.redis_url) as redis:
            published = RedisPublishedModels(redis)
            published.write_items("firstmodel", "v1", manifest.to_json(), items)
            published.activate("firstmodel", "v1")

        eventually(lambda: api.get(recommendations("ann")).json()["model_version"] == "v1")

        answer = api.get(recommendations("ann"))
        assert ids_of(answer) == ["i5", "i4", "i3", "i2", "i1", "i0"]
        assert answer.json()["degraded"] is False
        assert new_shops.health(f"{SERVICE}/firstmodel") == SERVING
        assert new_shops.health(f"{SERVICE}/emptyshop") == NOT_SERVING
        assert ids_of(other.get(recommendations("ann"))) == []
        assert api.get("/readyz").json()["parts"]["recommender"] == "ready"
