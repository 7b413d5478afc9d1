"""Rules for some users on the whole stack: by what the shop says of them, by REST and gRPC."""

from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import grpc
import httpx
import pytest

from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub
from tests.e2e.shop import TENANT, Shop
from tests.eventually import eventually
from tests.faults.own_services import OwnServices

_SETTINGS = """
[placements]
bestsellers = ["popular"]
new_arrivals = ["new", "popular"]

[[rules]]
name = "only dear things for trade"
placements = ["bestsellers"]
action = "exclude"
filter = "price < 2"
when = "user.segment = 'trade' AND user.orders >= 10"
"""
RULE = "only dear things for trade"
# Nothing listens there.
NOWHERE = "ipv4:127.0.0.1:1"


class Found(NamedTuple):
    """An answer, whichever way it came."""

    items: list[str]
    prices: list[float | None]
    rules: list[str]
    degraded: bool


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / f"{TENANT}.toml").write_text(_SETTINGS)
    return folder


def by_rest(api: httpx.Client, name: str = "bestsellers", **about: str) -> Found:
    answer = api.post(f"/v1/placements/{name}:recommend", json={"limit": 30, **about})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    items = [item["item_id"] for item in found["items"]]
    prices = [item["price"] for item in found["items"]]
    return Found(items, prices, found["rules"], found["degraded"])


def by_grpc(services: OwnServices, name: str = "bestsellers", **about: str) -> Found:
    request = pb.RecommendRequest(tenant=TENANT, placement=name, limit=30, **about)
    with grpc.insecure_channel(services.recommender_address) as channel:
        answer = RecommenderServiceStub(channel).Recommend(request, timeout=10).answer
    items = [item.item_id for item in answer.items]
    prices = [item.price if item.HasField("price") else None for item in answer.items]
    return Found(items, prices, list(answer.rules), answer.degraded)


def test_a_rule_holds_for_users_of_whom_the_shop_says_so(
    shop: Shop, settings: Path, tmp_path: Path, shopper: str
) -> None:
    path = f"/v1/users/{quote(shopper, safe='')}"
    own = OwnServices(shop.stack, tmp_path, RECSYS_SHOP_CONFIG=str(settings))
    with own as services, shop.client(services.url) as api:
        everybody = by_rest(api, user_id=shopper)
        assert (everybody.rules, everybody.degraded) == ([], False)
        assert by_grpc(services, user_id=shopper) == everybody
        said = {"segment": "trade", "orders": 12, "budget": 4}
        assert api.put(path, json={"attributes": said}).status_code == 200
        eventually(lambda: by_rest(api, user_id=shopper).rules == [RULE])
        eventually(lambda: by_grpc(services, user_id=shopper).rules == [RULE])
        trade = by_rest(api, user_id=shopper)
        assert by_grpc(services, user_id=shopper) == trade
        assert len(trade.items) == 30
        assert all(price is None or price >= 2 for price in trade.prices)
        # Beside an item it is who looks that counts; of somebody else nothing is said.
        beside = by_rest(api, item_id=trade.items[0], visitor_id=shopper)
        assert beside.rules == [RULE]
        assert by_grpc(services, item_id=trade.items[0], visitor_id=shopper) == beside
        assert by_rest(api, user_id=f"other {shopper}").rules == []
        wanted = {"user_id": shopper, "filter": "price <= user.budget"}
        affordable = by_rest(api, "new_arrivals", **wanted)
        assert by_grpc(services, "new_arrivals", **wanted) == affordable
        assert len(affordable.items) == 30
        assert all(price is not None and price <= 4 for price in affordable.prices)
        assert by_rest(api, "new_arrivals", **{**wanted, "user_id": "nobody"}).items == []
        assert by_rest(api).rules == []
        assert api.patch(path, json={"attributes": {"orders": 9}}).status_code == 200
        eventually(lambda: by_rest(api, user_id=shopper) == everybody)
        assert api.delete(path).status_code == 200


def test_without_ingest_the_rule_is_left_out_and_the_answer_says_so(
    shop: Shop, settings: Path, tmp_path: Path, shopper: str
) -> None:
    told = {"RECSYS_SHOP_CONFIG": str(settings), "RECSYS_INGEST_TARGET": NOWHERE}
    with (
        OwnServices(shop.stack, tmp_path, **told) as services,
        shop.client(services.url) as api,
    ):
        for found in (by_rest(api, user_id=shopper), by_grpc(services, user_id=shopper)):
            assert (len(found.items), found.rules, found.degraded) == (30, [], True)
        wanted = {"user_id": shopper, "filter": "price <= user.budget"}
        refused = api.post("/v1/placements/new_arrivals:recommend", json=wanted)
        assert (refused.status_code, refused.json()["type"]) == (503, "/problems/unavailable")
        with pytest.raises(grpc.RpcError) as error:
            by_grpc(services, "new_arrivals", **wanted)
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE
        # A placement without such a rule asks nobody.
        for found in (
            by_rest(api, "new_arrivals", user_id=shopper),
            by_grpc(services, "new_arrivals", user_id=shopper),
        ):
            assert not found.degraded
