"""Every process of the stack logs, and none of them a shopper's id, a query or a key."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.shop import Shop, item, purchase, recommendations, similar
from tests.eventually import eventually

SHOPPER = "marked shopper/ü"
# As a log could show it: as it is, percent-encoded, escaped in JSON.
MARKS = ("marked shopper", quote("marked shopper"), "marked+shopper")
QUERY = "a-marked-query"
WRONG_KEY = "rk_0badc0de_" + "5" * 64
OURS = re.compile(r"(gateway|ingest|recommender|haproxy).*\.log")


@pytest.fixture(scope="module")
def asked(shop: Shop) -> dict[str, int]:
    """Statuses by request id, of requests of all kinds about one shopper."""
    paths = {
        "logs-cold": recommendations(SHOPPER),
        "logs-unknown-parameter": f"{recommendations(SHOPPER)}&{QUERY}=1",
        "logs-session": f"/v1/recommendations?item_id={QUERY}",
        "logs-item": item(SHOPPER),
        "logs-similar": similar(SHOPPER),
        "logs-no-route": f"/v2/users/{quote(SHOPPER, safe='')}?{QUERY}",
        "logs-metrics": f"/metrics/{quote(SHOPPER, safe='')}?{QUERY}",
        "logs-broken": f"{recommendations(SHOPPER)}&item_id=%ff{QUERY}",
    }
    with shop.client() as api:
        statuses = {
            name: api.get(path, headers={"X-Request-ID": name}).status_code
            for name, path in paths.items()
        }
        event = {"events": [purchase(SHOPPER, "22423")]}
        # A test before this one may have killed the store.
        eventually(lambda: api.post("/v1/events", json=event).status_code == 200, within_seconds=60)
        bad = {"events": [purchase(SHOPPER, "22423", event_type=QUERY)]}
        refused = api.post("/v1/events", json=bad, headers={"X-Request-ID": "logs-event"})
        statuses["logs-event"] = refused.status_code
        for name, key in (("logs-wrong-key", WRONG_KEY), ("logs-no-key", "")):
            headers = {"X-Request-ID": name, "X-API-Key": key}
            statuses[name] = api.get(recommendations(SHOPPER), headers=headers).status_code
    return statuses


def lines_of(shop: Shop) -> dict[str, dict[str, Any]]:
    """The gateways' access lines by request id."""
    texts = [path.read_text("utf-8") for path in shop.stack.settings.logs.glob("gateway-*.log")]
    lines = [json.loads(line) for line in "".join(texts).splitlines() if '"request_served"' in line]
    return {line["request_id"]: line for line in lines}


def test_every_request_that_reached_a_gateway_is_logged_with_who_called(
    shop: Shop, asked: dict[str, int]
) -> None:
    # The balancer keeps this path from the outside.
    expected = {name: status for name, status in asked.items() if name != "logs-metrics"}
    eventually(lambda: expected.keys() <= lines_of(shop).keys(), within_seconds=10)
    lines = lines_of(shop)
    assert {name: lines[name]["status"] for name in expected} == expected
    key_id = shop.key.split("_")[1]
    for name in expected:
        known = name not in ("logs-wrong-key", "logs-no-key", "logs-no-route")
        who = (lines[name]["key_id"], lines[name]["tenant"])
        assert who == ((key_id, "demo") if known else (None, None)), name
    assert asked["logs-wrong-key"] == asked["logs-no-key"] == 401
    assert lines["logs-no-key"]["route"] == "/v1/users/{user_id}/recommendations"


def test_no_log_names_the_shopper_the_query_or_a_key(shop: Shop, asked: dict[str, int]) -> None:
    eventually(lambda: asked.keys() - {"logs-metrics"} <= lines_of(shop).keys(), within_seconds=10)
    logs = {
        path.name: path.read_text("utf-8", "replace")
        for path in shop.stack.settings.logs.iterdir()
        if OURS.fullmatch(path.name)
    }
    assert {re.split("[-.]", name)[0] for name in logs} == {
        "gateway",
        "ingest",
        "recommender",
        "haproxy",
    }
    secrets = (*MARKS, QUERY, shop.key.split("_")[2], WRONG_KEY.split("_")[2])
    found = [(name, secret) for name, text in logs.items() for secret in secrets if secret in text]
    assert found == []
