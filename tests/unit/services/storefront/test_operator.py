"""The operator's page: read-only, and for callers of this machine."""

import asyncio
from pathlib import Path

import httpx
import pytest

from recsys.config.shops import Shops
from recsys.core.experiment_report import RATES
from services.gateway.schemas.reports import ExperimentReport
from services.storefront.api import Api
from services.storefront.app import build_app
from services.storefront.catalogue import Catalogue
from services.storefront.dependencies import Dependencies
from services.storefront.operations import Operations, read_figures
from tests.unit.services.storefront.browser import Browser
from tests.unit.services.storefront.conftest import KEYS
from tests.unit.services.storefront.stub_api import StubApi

_SHOP = """
half_life_days = 30
popularity_half_life_days = 7
goals = ["buy"]
[event_types]
buy = { weight = 1 }

[[rules]]
name = "cheap"
placements = ["home"]
action = "boost"
filter = "price < 5"
weight = 1.5

[[experiments]]
name = "mixed"
placements = ["home"]
share = 0.5
enabled = false
variants = [{ name = "as_is" }, { name = "diverse", placements = { home = ["for_you"] } }]
"""
_PAGE = "/shop/operator"
_EXPOSITION = """
recsys_requests_total{route="/readyz",status="200"} 442.0
recsys_requests_total{route="/v1/events",status="200"} 98.0
recsys_requests_total{route="/v1/items",status="503"} 2.0
recsys_request_seconds_bucket{le="0.001",route="/v1/events"} 90.0
recsys_request_seconds_bucket{le="0.002",route="/v1/events"} 98.0
recsys_request_seconds_bucket{le="+Inf",route="/v1/events"} 98.0
recsys_request_seconds_bucket{le="0.001",route="/v1/items"} 0.0
recsys_request_seconds_bucket{le="0.002",route="/v1/items"} 1.0
recsys_request_seconds_bucket{le="+Inf",route="/v1/items"} 2.0
recsys_request_seconds_count{route="/readyz"} 442.0
recsys_request_seconds_count{route="/v1/events"} 98.0
recsys_request_seconds_count{route="/v1/items"} 2.0
recsys_request_seconds_sum{route="/readyz"} 99.0
recsys_request_seconds_sum{route="/v1/events"} 0.1
recsys_request_seconds_sum{route="/v1/items"} 0.1
recsys_recommenders_ready 2.0
recsys_busy_ratio 0.25
"""


def test_the_page_shows_placements_and_why_items_are_in_a_list(
    shopper: Browser, stub: StubApi
) -> None:
    page = shopper.get("/shop/operator?user=17850&placement=basket")
    assert page.status_code == 200
    wanted = {"limit": 10, "user_id": "17850"}
    assert ("/v1/placements/basket:recommend", wanted) in stub.asked
    assert "factors 0.3000, neighbours 0.6200" in page.text
    assert "recently_viewed" in page.text
    assert "for_you, popular, new" in page.text
    assert "<option selected>basket</option>" in page.text
    assert "The shop has none." in page.text


def test_the_page_shows_rules_and_experiments_of_the_shop(stub: StubApi, tmp_path: Path) -> None:
    (tmp_path / "demo.toml").write_text(_SHOP)
    page = page_for(stub, "127.0.0.1", shops=Shops(tmp_path, lambda: None)).text
    assert "<b>mixed</b> home: as_is (1), diverse (1); 50 % of shoppers (stopped)" in page
    assert "<b>cheap</b> boost: filter price &lt; 5, weight 1.5, in home" in page


def test_the_page_shows_the_last_report(shopper: Browser, stub: StubApi) -> None:
    assert "No report yet: run recsys report --days 28 --publish." in shopper.get(_PAGE).text
    [example] = ExperimentReport.model_json_schema()["examples"]
    few = {"mean": 0.5, "low": None, "high": None}
    stub.report = example | {"outcomes": [*example["outcomes"], *example["outcomes"]]}
    stub.report["outcomes"][1] = example["outcomes"][0] | {
        "experiment": "",
        "variant": "",
        "rates": dict.fromkeys(RATES, few),
    }
    page = shopper.get(_PAGE).text
    assert "counted 2026-11-27T02:30:00Z, 1 h ago" in page
    assert "diverse_home: diverse</td>" in page
    assert "<td>0.1250 [0.1000, 0.1500]</td>" in page
    assert "<td>0.5000</td>" in page
    assert "diverse_home: diverse less control" in page
    assert "<td>0.0250 [0.0010, 0.0490]</td>" in page
    assert "mismatch in diverse_home at home: control 1,160 (expected 1,080), diverse" in page


def test_figures_of_a_gateway_are_of_the_routes_of_the_api() -> None:
    figures = read_figures("g:1", _EXPOSITION)
    assert (figures.requests, figures.failed, figures.recommenders) == (100, 2, 2)
    assert figures.mean_ms == pytest.approx(2.0)
    assert figures.p99_ms == pytest.approx(2.0)
    assert figures.busy == 0.25


def test_a_gateway_that_was_asked_nothing_has_figures() -> None:
    assert read_figures("g:1", "recsys_recommenders_ready 2.0\n").mean_ms == 0


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_caller_of_this_machine_sees_it(stub: StubApi, address: str) -> None:
    assert status_for(stub, address) == 200
    assert status_for(stub, address, "127.0.0.1") == 200


@pytest.mark.parametrize(
    ("address", "forwarded"),
    [
        ("10.0.0.7", ""),
        ("127.0.0.1", "10.0.0.7"),
        ("127.0.0.1", "127.0.0.1, 10.0.0.7"),
        ("127.0.0.1", "made up"),
    ],
)
def test_nobody_else_finds_it(stub: StubApi, address: str, forwarded: str) -> None:
    assert status_for(stub, address, forwarded) == 404


def status_for(stub: StubApi, address: str, forwarded: str = "") -> int:
    return page_for(stub, address, forwarded).status_code


def page_for(
    stub: StubApi, address: str, forwarded: str = "", shops: Shops | None = None
) -> httpx.Response:
    api = Api(stub.client())
    operations = Operations(KEYS.tenant, None, shops or Shops(None, lambda: None), ())
    app = build_app(Dependencies(KEYS, api, Catalogue(api), operations))
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    with asyncio.Runner() as runner:
        browser = Browser(app, runner, address)
        page = browser.get("/shop/operator", **headers)
        browser.close()
        runner.run(api.close())
    return page


@pytest.mark.parametrize("failing", [503, 422, 404])
def test_a_list_that_there_is_not_leaves_the_rest_of_the_page(
    shopper: Browser, stub: StubApi, failing: int
) -> None:
    stub.failing = failing
    page = shopper.get("/shop/operator?user=17850&placement=nothing")
    assert page.status_code == 200
    assert 'role="alert"' in page.text
    assert "for_you, popular, new" in page.text


def test_a_user_that_cannot_be_one_is_told_so(shopper: Browser) -> None:
    page = shopper.get(f"/shop/operator?user={'x' * 300}")
    assert "has 300 characters" in page.text
