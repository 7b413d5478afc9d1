"""An experiment on the whole stack: REST and gRPC show a user one variant, until it is stopped."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from recsys.rpc.v1 import recommender_pb2 as pb
from recsys.rpc.v1.recommender_pb2_grpc import RecommenderServiceStub
from tests.e2e.shop import KNOWN_CUSTOMER, TENANT, Shop
from tests.eventually import eventually
from tests.faults.own_services import OwnServices

_SETTINGS = """
[placements.home]
generators = ["for_you", "popular", "new"]

[[experiments]]
name = "simple_home"
placements = ["home"]
enabled = true
variants = [{ name = "as_is" }, { name = "simple", placements = { home = ["popular"] } }]
"""
USERS = [KNOWN_CUSTOMER, *(f"experiment u{number}" for number in range(20))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "settings"
    folder.mkdir()
    write(folder, _SETTINGS)
    return folder


@pytest.fixture
def services(shop: Shop, folder: Path, tmp_path: Path) -> Iterator[OwnServices]:
    with OwnServices(shop.stack, tmp_path, RECSYS_SHOP_CONFIG=str(folder)) as services:
        yield services


def write(folder: Path, text: str) -> None:
    draft = folder / "draft"
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, folder / f"{TENANT}.toml")  # noqa: PTH105  # as an operator's tools do


@contextmanager
def grpc_of(services: OwnServices) -> Iterator[RecommenderServiceStub]:
    with grpc.insecure_channel(str(services.recommender_address)) as channel:
        yield RecommenderServiceStub(channel)


def by_rest(api: httpx.Client, **wanted: str) -> tuple[object, list[str]]:
    """The experiment of an answer, and its items."""
    answer = api.post("/v1/placements/home:recommend", json={"limit": 10, **wanted})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found["experiment"], [item["item_id"] for item in found["items"]]


def by_grpc(stub: RecommenderServiceStub, **wanted: str) -> tuple[object, list[str]]:
    request = pb.RecommendRequest(tenant=TENANT, placement="home", limit=10, **wanted)
    answer = stub.Recommend(request, timeout=10).answer
    assert answer.placement == "home"
    experiment = None
    if answer.HasField("experiment"):
        experiment = {"name": answer.experiment.name, "variant": answer.experiment.variant}
    return experiment, [item.item_id for item in answer.items]


def test_rest_and_grpc_show_a_user_one_variant_until_it_is_stopped(
    shop: Shop, services: OwnServices, folder: Path
) -> None:
    with shop.client(services.url) as api, grpc_of(services) as stub:
        variants = set()
        for user_id in USERS:
            experiment, items = by_rest(api, user_id=user_id)
            assert by_grpc(stub, user_id=user_id) == (experiment, items)
            assert isinstance(experiment, dict)
            variants.add(experiment["variant"])
            beside = by_rest(api, item_id="85123A", visitor_id=user_id)
            assert beside[0] == experiment
            assert by_grpc(stub, item_id="85123A", visitor_id=user_id) == beside
        assert variants == {"as_is", "simple"}
        write(folder, _SETTINGS.replace("enabled = true", "enabled = false"))
        eventually(lambda: by_rest(api, user_id=USERS[0])[0] is None)
        eventually(lambda: by_grpc(stub, user_id=USERS[0])[0] is None)
