"""State of what runs, for an operator: models, settings of the shop, metrics of gateways."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import httpx
from prometheus_client.parser import text_string_to_metric_families

from recsys.clock import utc_now_ms
from recsys.config.shops import Shops
from recsys.core.errors import InvalidModel
from recsys.core.serving.experiments import Experiment
from recsys.core.serving.placement import Placement, ScheduledRule
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles

_SHOWN_MODELS = 5
_METRICS_SECONDS = 1.0
_API = "/v1/"


@dataclass(frozen=True, slots=True)
class GatewayFigures:
    """A gateway since it started; times are of routes of the API.

    Attributes:
        p99_ms: the bound of the histogram's bucket below which 99 of 100 requests are.
        busy: share of a core, lately.
    """

    address: str
    requests: int
    failed: int
    mean_ms: float
    p99_ms: float
    recommenders: int
    busy: float


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule of the shop in words, and whether its time is now."""

    name: str
    text: str
    placements: tuple[str, ...]
    holds: bool


class Operations:
    """Looks at what runs; changes nothing.

    Args:
        models: of the model store; None where the shop cannot reach it.
        metrics_urls: of every gateway that may run.
    """

    def __init__(
        self, tenant: str, models: ModelFiles | None, shops: Shops, metrics_urls: Sequence[str]
    ) -> None:
        self._tenant = tenant
        self._models = models
        self._shops = shops
        self._metrics_urls = metrics_urls

    def placements(self) -> dict[str, Placement]:
        return dict(self._shops.placements_of(self._tenant))

    def experiments(self) -> list[Experiment]:
        return list(self._shops.experiments_of(self._tenant))

    def rules(self) -> list[RuleLine]:
        now_ms = utc_now_ms()
        return [_line(rule, now_ms) for rule in self._shops.of(self._tenant).rules]

    async def models(self) -> list[Manifest]:
        """Read the newest versions of the model store, the newest first."""
        return await asyncio.to_thread(self._read_models)

    async def gateways(self) -> list[GatewayFigures]:
        """Read the metrics of those gateways that run."""
        async with httpx.AsyncClient(timeout=_METRICS_SECONDS, trust_env=False) as client:
            found = await asyncio.gather(
                *(_read_figures(client, url) for url in self._metrics_urls)
            )
        return [figures for figures in found if figures is not None]

    def _read_models(self) -> list[Manifest]:
        if self._models is None:
            return []
        manifests = []
        for version in reversed(self._models.versions(self._tenant)[-_SHOWN_MODELS:]):
            try:
                manifests.append(self._models.manifest(self._tenant, version))
            except InvalidModel:
                # `recsys models list` says what is wrong with it.
                continue
        return manifests


def _line(rule: ScheduledRule, now_ms: int) -> RuleLine:
    effect = asdict(rule.effect)
    effect.pop("rule")
    words = ", ".join(f"{name} {value}" for name, value in effect.items())
    text = f"{type(rule.effect).__name__.lower()}: {words}"
    return RuleLine(rule.name, text, rule.placements, rule.holds_at(now_ms))


async def _read_figures(client: httpx.AsyncClient, url: str) -> GatewayFigures | None:
    try:
        response = (await client.get(url)).raise_for_status()
    except httpx.HTTPError:
        return None
    return read_figures(urlsplit(url).netloc, response.text)


def read_figures(address: str, exposition: str) -> GatewayFigures:
    """Sum the metrics of a gateway up."""
    samples = [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.labels.get("route", _API).startswith(_API)
    ]

    def total(name: str) -> float:
        return sum(value for each, _, value in samples if each == name)

    answered = total("recsys_request_seconds_count")
    return GatewayFigures(
        address,
        requests=int(total("recsys_requests_total")),
        failed=int(
            sum(
                value
                for name, labels, value in samples
                if name == "recsys_requests_total" and labels["status"].startswith("5")
            )
        ),
        mean_ms=1000 * total("recsys_request_seconds_sum") / max(answered, 1),
        p99_ms=1000 * _quantile(samples, 0.99 * answered),
        recommenders=int(total("recsys_recommenders_ready")),
        busy=total("recsys_busy_ratio"),
    )


def _quantile(samples: Iterable[tuple[str, dict[str, str], float]], rank: float) -> float:
    """The bound in seconds of the first bucket with so many requests in it or below."""
    buckets: dict[float, float] = {}
    for name, labels, value in samples:
        if name == "recsys_request_seconds_bucket":
            bound = float(labels["le"])
            buckets[bound] = buckets.get(bound, 0.0) + value
    return next((bound for bound in sorted(buckets) if buckets[bound] >= rank), 0.0)
