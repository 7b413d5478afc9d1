"""Lists that tire of what was shown often: a shop with such a placement, by REST and gRPC."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub
from tests.e2e.shop import KNOWN_CUSTOMER, TENANT, Shop
from tests.eventually import eventually
from tests.faults.own_services import OwnServices

AFTER, FACTOR = 3, 0.5
_SETTINGS = f"""
[placements.home]
generators = ["for_you", "popular", "new"]
fatigue = {{ after = {AFTER}, factor = {FACTOR} }}
"""


@pytest.fixture
def services(shop: Shop, tmp_path: Path) -> Iterator[OwnServices]:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / f"{TENANT}.toml").write_text(_SETTINGS, encoding="utf-8")
    with OwnServices(
        shop.stack, tmp_path, with_ingest=True, RECSYS_SHOP_CONFIG=str(folder)
    ) as services:
        yield services


def test_what_was_shown_often_and_not_touched_sinks_until_it_is(
    shop: Shop, services: OwnServices
) -> None:
    with shop.client(services.url) as api:

        def post(event_type: str, item_id: str) -> None:
            event = {"user_id": KNOWN_CUSTOMER, "item_id": item_id, "event_type": event_type}
            assert api.post("/v1/events", json={"events": [event]}).json()["accepted"] == 1

        def scores() -> dict[str, float]:
            return scores_of(api)

        before = scores()
        tired, fresh = list(before)[:2]
        for _ in range(AFTER - 1):
            post("impression", tired)
        post("impression", fresh)
        assert scores() == before
        post("impression", tired)
        eventually(lambda: scores()[tired] == pytest.approx(before[tired] * FACTOR, rel=1e-3))
        assert scores()[fresh] == before[fresh]
        assert next(iter(scores())) == fresh
        assert by_grpc(services)[tired] == pytest.approx(before[tired] * FACTOR, rel=1e-3)
        post("view", tired)
        eventually(lambda: scores()[tired] > 0.9 * before[tired])


def scores_of(api: httpx.Client) -> dict[str, float]:
    """Of the items that have one, in their order."""
    body = {"user_id": KNOWN_CUSTOMER, "limit": 100}
    answer = api.post("/v1/placements/home:recommend", json=body)
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    return {entry["item_id"]: entry["score"] for entry in items if entry["score"] is not None}


def by_grpc(services: OwnServices) -> dict[str, float]:
    request = pb.RecommendRequest(
        tenant=TENANT,
        user_id=KNOWN_CUSTOMER,
        limit=100,
        generators=["for_you", "popular", "new"],
        controls=pb.Controls(fatigue=pb.Fatigue(after=AFTER, factor=FACTOR)),
    )
    with grpc.insecure_channel(services.recommender_address) as channel:
        answer = RecommenderServiceStub(channel).Recommend(request, timeout=10).answer
    return {entry.item_id: entry.score for entry in answer.items if entry.HasField("score")}
