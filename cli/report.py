"""`recsys report`: what came of recommendations."""

import json
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from cli.output import check_output, say, show
from cli.period import DATES, milliseconds
from cli.tenant_option import Tenant
from recsys.analysis.attribution import RATES, Comparison, Outcome, compare
from recsys.config.shop import Shop
from recsys.config.shops import shop_of
from recsys.core.errors import ConfigurationError, NoData
from recsys.core.times import MAX_CLOCK_SKEW_MS
from recsys.evaluation.intervals import Estimate
from recsys.files import write_whole
from spark_jobs.attribution import attributed
from spark_jobs.session import spark_session
from spark_jobs.settings import ImportSettings, SparkSettings, load
from spark_jobs.stored_events import stored_events
from spark_jobs.task_errors import errors_of_tasks


class _ReportSettings(ImportSettings, SparkSettings):
    """Behaviour in HBase, the shop's configuration, and Spark."""


def report(
    tenant: Tenant = None,
    start: Annotated[
        datetime | None, typer.Option(formats=DATES, help="Events from this time on, UTC.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(formats=DATES, help="Events before this time, UTC.")
    ] = None,
    cart_type: Annotated[
        str, typer.Option(help="Type of event by which an item comes into a basket.")
    ] = "add_to_cart",
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="JSON file to write, with all intervals.")
    ] = None,
) -> None:
    """Report clicks, baskets, orders and revenue by placement and variant, from HBase.

    Counted are events whose context has the recommendation_id of an answer, of items that an event
    of type impression with the same id says were shown. Brackets are 95 % intervals over shoppers.

    Example: recsys report --start 2026-11-01 --end 2026-12-01 --output november.json
    """
    if output is not None:
        check_output(output)
    settings = load(_ReportSettings)
    tenant = tenant or settings.tenant
    shop = shop_of(settings.shop_config, tenant, say)
    if cart_type not in shop.event_types:
        known = ", ".join(sorted(shop.event_types))
        raise ConfigurationError(f"--cart-type: {cart_type!r} is not one of the types: {known}")
    latest = round(time.time() * 1000) + MAX_CLOCK_SKEW_MS
    period = milliseconds(start, 0), milliseconds(end, latest)
    with errors_of_tasks(), spark_session(settings, "recsys report") as spark:
        events = stored_events(spark, settings.hbase_thrift, tenant, *period, context="true")
        outcomes = attributed(events, shop, cart_type)
    if not outcomes:
        raise NoData(
            f"tenant {tenant} has no impressions with a recommendation_id in that time: see"
            " docs/how-to/experiments.md"
        )
    comparisons = compare(outcomes, _baselines(shop))
    _print(outcomes, comparisons)
    if output is not None:
        document = {
            "outcomes": [_outcome_json(each) for each in outcomes],
            "differences": [_comparison_json(each) for each in comparisons],
        }
        write_whole(output, json.dumps(document, indent=2))


def _baselines(shop: Shop) -> dict[str, str]:
    return {each.name: each.variants[0].name for each in shop.experiments}


def _print(outcomes: list[Outcome], comparisons: list[Comparison]) -> None:
    counts = ("users", "shown", "clicked", "carted", "orders")
    rows = [
        [
            *(each.placement, each.experiment, each.variant),
            *(f"{getattr(each, name):,}" for name in counts),
            f"{each.revenue:,.2f}",
            *(_text(each.rates[name].interval()) for name in RATES),
        ]
        for each in outcomes
    ]
    show(["placement", "experiment", "variant", *counts, "revenue", *RATES], rows)
    if comparisons:
        rows = [
            [
                *(each.outcome.placement, each.outcome.experiment),
                f"{each.outcome.variant} - {each.baseline.variant}",
                *(_text(each.differences[name]) for name in RATES),
            ]
            for each in comparisons
        ]
        show(["placement", "experiment", "difference", *RATES], rows)


def _text(estimate: Estimate) -> str:
    return f"{estimate.mean:.4f} [{estimate.low:.4f}, {estimate.high:.4f}]"


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    rates = {name: _json(rate.interval()) for name, rate in outcome.rates.items()}
    return asdict(outcome) | {"rates": rates}


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    outcome = comparison.outcome
    return {
        "placement": outcome.placement,
        "experiment": outcome.experiment,
        "variant": outcome.variant,
        "baseline": comparison.baseline.variant,
        "rates": {name: _json(each) for name, each in comparison.differences.items()},
    }


def _json(estimate: Estimate) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {name: None if np.isnan(value) else value for name, value in asdict(estimate).items()}
