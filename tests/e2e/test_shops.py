"""Two shops with settings of their own, on one set of services and the stores of the stack."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.stack import Stack
from recsys.auth.api_keys import Scope
from recsys.auth.key_file import create_key
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool
from tests.eventually import eventually
from tests.faults.own_services import OwnServices
from tests.hbase_fixture import MakeTables

TENANTS = ("books", "shoes")
# Longer than a service takes to look at its files again.
_FOLLOWED_SECONDS = 2.5
_SETTINGS = """
half_life_days = 30
popularity_half_life_days = 7
goals = ["buy"]
[event_types]
buy = { weight = 1 }
"""


@dataclass(frozen=True)
class Shops:
    """The folder of the shops' settings, and the services that follow it."""

    folder: Path
    services: OwnServices
    keys: dict[str, str]

    def write(self, tenant: str, text: str) -> None:
        write(self.folder, tenant, text)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.services.url}{path}", timeout=20, trust_env=False)

    def post(self, tenant: str, event_type: str, **fields: object) -> dict[str, Any]:
        """Post one event; return its result, whatever it is."""
        event = {"user_id": "ann", "item_id": "i1", "event_type": event_type} | fields
        answer = httpx.post(
            f"{self.services.url}/v1/events",
            json={"events": [event]},
            headers={"X-API-Key": self.keys[tenant]},
            timeout=20,
            trust_env=False,
        )
        assert answer.status_code in (200, 422), answer.text
        [result] = answer.json()["results"]
        return dict(result)

    def described_event_types(self) -> list[str]:
        """Types of events that the API's description lists."""
        schemas = self.get("/openapi.json").json()["components"]["schemas"]
        return list(schemas["Event"]["properties"]["event_type"]["enum"])

    def takes(self, tenant: str, event_type: str) -> bool:
        return bool(self.post(tenant, event_type)["status"] == "accepted")


def write(folder: Path, tenant: str, text: str) -> None:
    draft = folder / f"{tenant}.draft"
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, folder / f"{tenant}.toml")  # noqa: PTH105  # as an operator's tools do


@pytest.fixture(scope="module")
def shops(
    store_stack: Stack, make_tables: MakeTables, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shops]:
    folder = tmp_path_factory.mktemp("settings")
    write(folder, "books", f"{_SETTINGS}read = {{ weight = 0.5 }}\n")
    write(folder, "shoes", f"{_SETTINGS}try_on = {{ weight = 0.5 }}\n")
    for tenant in TENANTS:
        make_tables(tenant)
    scopes = list(Scope)
    keys = {tenant: create_key(store_stack.settings.api_keys, tenant, scopes) for tenant in TENANTS}
    logs = tmp_path_factory.mktemp("shops")
    with OwnServices(
        store_stack,
        logs,
        with_ingest=True,
        RECSYS_TENANTS=",".join(TENANTS),
        RECSYS_SHOP_CONFIG=str(folder),
    ) as services:
        yield Shops(folder, services, keys)


def test_an_event_type_of_one_shop_is_rejected_for_the_other(shops: Shops) -> None:
    assert shops.takes("books", "read")
    assert shops.takes("shoes", "try_on")
    assert shops.takes("books", "buy")
    refused = shops.post("shoes", "read")
    assert refused["status"] == "rejected"
    assert refused["problems"] == [{"field": "event_type", "reason": "is not one of: buy, try_on"}]


def test_an_event_is_stored_with_its_context(shops: Shops, hbase_pool: HBasePool) -> None:
    context = {"recommendation_id": "r-1", "placement": "home", "variant": "größer"}
    assert shops.post("books", "buy", user_id="eve", context=context)["status"] == "accepted"
    [stored] = HBaseInteractionStore(hbase_pool).history("books", "eve")
    assert stored.context == context
    refused = shops.post("books", "buy", user_id="eve", context={"placement": "x" * 257})
    assert refused["problems"][0]["field"] == "context.placement"
    assert len(HBaseInteractionStore(hbase_pool).history("books", "eve")) == 1


def test_a_changed_file_is_followed_by_running_services(shops: Shops) -> None:
    assert not shops.takes("shoes", "send_back")
    shops.write("shoes", f"{_SETTINGS}send_back = {{ weight = -1 }}\n")
    eventually(lambda: shops.takes("shoes", "send_back"))
    # The gateway, which describes them, follows the file in its own time.
    eventually(lambda: "send_back" in shops.described_event_types())
    shops.write("shoes", f"{_SETTINGS}try_on = {{ weight = 0.5 }}\n")
    eventually(lambda: not shops.takes("shoes", "send_back"))


def test_a_broken_file_leaves_the_old_settings_is_counted_and_keeps_nobody_from_serving(
    shops: Shops,
) -> None:
    refused = "recsys_settings_refused_total"
    shops.write("books", "half_life_days = 0\n[event_types]\n")
    eventually(
        # The gateway looks when somebody asks what it describes.
        lambda: (
            shops.get("/openapi.json").is_success
            and shops.services.metric(refused, file="shops") == 1
        )
    )
    time.sleep(_FOLLOWED_SECONDS)
    assert shops.takes("books", "read")
    # A type of every version of its file: the test before may have ended in the middle.
    assert shops.takes("shoes", "buy")
    assert shops.get("/readyz").status_code == 200
    shops.write("books", f"{_SETTINGS}lend = {{ weight = 1 }}\n")
    eventually(lambda: shops.takes("books", "lend"))
