"""Metrics of a stack's replicas, as Prometheus would read them."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

from infra.local.replicas import Service
from infra.local.servers.services import metrics_url
from infra.local.stack import Stack


def total_of(stack: Stack, service: Service, replica: str, metric: str) -> float:
    """Sum of a replica's values of a metric; 0 if it does not respond."""
    try:
        page = httpx.get(metrics_url(stack.settings, service, replica), trust_env=False)
    except httpx.HTTPError:
        return 0
    families = text_string_to_metric_families(page.text)
    samples = [sample for family in families for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == metric)


def is_every_recommender_found(stack: Stack) -> bool:
    """Whether each gateway may ask as many recommenders as there are."""
    count = len(stack.running(Service.RECOMMENDER))
    gateways = stack.running(Service.GATEWAY)
    return all(
        total_of(stack, Service.GATEWAY, each, "recsys_recommenders_ready") == count
        for each in gateways
    )
