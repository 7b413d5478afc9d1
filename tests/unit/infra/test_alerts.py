"""The alerts for Prometheus: of metrics that there are, each explained to whoever is called."""

import re
from typing import Any

import yaml

from infra.local.settings import REPOSITORY
from recsys.runtime.metrics import new_metrics
from services.gateway.schemas.problems import NOT_SET_UP

RULES = REPOSITORY / "infra/prometheus/alerts.yaml"
PAGE = REPOSITORY / "docs/how-to/watch-a-shop.md"
# Of histograms. Not `job`, which is what whoever set Prometheus up made of it: often one for all.
ITS_OWN_LABELS = {"le"}


def alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return list(group["rules"])


def test_they_are_about_metrics_and_labels_that_there_are() -> None:
    metrics = new_metrics()
    metrics.show_recommenders(lambda: 2)
    metrics.show_clock(lambda: 0.0)
    registry = metrics.registry
    labels_of = {
        name: set(getattr(collector, "_labelnames", ()))
        for collector, names in registry._collector_to_names.items()
        for name in names
    }
    for alert in alerts():
        named = set(re.findall(r"recsys_\w+", alert["expr"]))
        assert named, alert["alert"]
        assert named <= labels_of.keys(), alert["alert"]
        known = set().union(*(labels_of[name] for name in named)) | ITS_OWN_LABELS
        grouped = re.findall(r"by \(([^)]*)\)", alert["expr"])
        used = {label.strip() for group in grouped for label in group.split(",")}
        used |= set(re.findall(r"[{,](\w+)=~?\"", alert["expr"]))
        used |= set(re.findall(r"\$labels\.(\w+)", str(alert["annotations"])))
        assert used <= known, alert["alert"]


def test_a_service_that_asks_no_recommenders_does_not_look_like_a_gateway_without_one() -> None:
    [alert] = [each for each in alerts() if each["alert"] == "NoRecommender"]
    [metric] = re.findall(r"recsys_\w+", alert["expr"])
    metrics = new_metrics()
    assert metric not in metrics.exposition().decode()

    metrics.show_recommenders(lambda: 0)

    assert f"{metric} 0.0" in metrics.exposition().decode()


def test_each_says_what_is_wrong_and_what_to_do_and_has_its_row_on_the_page() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.M)
    assert rows == [alert["alert"] for alert in alerts()]
    for alert in alerts():
        assert alert["labels"]["severity"] in ("page", "ticket")
        assert alert["annotations"].keys() == {"summary", "remedy"}


def test_a_shop_that_lost_a_table_is_told_of_by_the_status_of_its_refusals() -> None:
    [alert] = [each for each in alerts() if each["alert"] == "ShopNotSetUp"]
    assert f'recsys_requests_total{{status="{NOT_SET_UP.status}"}}' in alert["expr"]
