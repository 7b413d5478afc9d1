"""`recsys report`: what came of recommendations."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import AsJson, check_output, say, show, show_json
from cli.period import DATES, report_period
from cli.tenant_option import Tenant
from recsys.clock import utc_now_ms
from recsys.config.shops import shop_of
from recsys.core.errors import ConfigurationError
from recsys.core.experiment_report import (
    RATES,
    ExperimentReport,
    RateInterval,
    Rates,
    ReportedOutcome,
)
from recsys.core.times import utc_datetime
from recsys.files import write_whole
from recsys.stores.redis.connect import connect
from recsys.stores.redis.reports import RedisReports
from recsys.stores.report_document import report_document
from spark_jobs.settings import CatalogueImportSettings, ReportSettings, load

_COUNTS = ("users", "shown", "clicked", "carted", "orders")


class _PublishSettings(ReportSettings, CatalogueImportSettings):
    """And Redis, where services read the report."""


def report(
    tenant: Tenant = None,
    start: Annotated[
        datetime | None, typer.Option(formats=DATES, help="Events from this time on, UTC.")
    ] = None,
    end: Annotated[
        datetime | None, typer.Option(formats=DATES, help="Events before this time, UTC.")
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, help="Events of the last days before --end, or now."),
    ] = None,
    cart_type: Annotated[
        str, typer.Option(help="Type of event by which an item comes into a basket.")
    ] = "add_to_cart",
    output: Annotated[
        Path | None, typer.Option(dir_okay=False, help="JSON file to write, with all intervals.")
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Let GET /v1/reports/experiments answer with it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Report clicks, baskets, orders and revenue by placement and variant, from HBase.

    Counted are events whose context has the recommendation_id of an answer, of items that an event
    of type impression with the same id says were shown. Brackets are 95 % intervals over shoppers.

    Examples:

        recsys report --start 2026-11-01 --end 2026-12-01 --output november.json

        recsys report --days 28 --publish        (every night, after `recsys nightly`)
    """
    if output is not None:
        check_output(output)
    # Which stores there are is said before the work, not after it.
    settings = load(_PublishSettings if publish else ReportSettings)
    tenant = tenant or settings.tenant
    shop = shop_of(settings.shop_config, tenant, say)
    if cart_type not in shop.event_types:
        known = ", ".join(sorted(shop.event_types))
        raise ConfigurationError(f"--cart-type: {cart_type!r} is not one of the types: {known}")
    made_ms = utc_now_ms()
    period = report_period(start, end, days, made_ms)
    # Brings Spark along, for which `--help` need not wait.
    from spark_jobs.report import make_report

    made = make_report(settings, tenant, shop, cart_type, period, made_ms, say)
    if as_json:
        show_json(_document(tenant, made))
    else:
        _print(made)
    if output is not None:
        write_whole(output, json.dumps(report_document(made), indent=2))
    if isinstance(settings, _PublishSettings):
        with connect(settings.redis_url.get_secret_value()) as redis:
            RedisReports(redis).publish(tenant, made)
        say(f"published: GET /v1/reports/experiments answers with it for {tenant}")


def _document(tenant: str, made: ExperimentReport) -> dict[str, Any]:
    """As GET /v1/reports/experiments names it: with times, where the stored report has numbers."""

    return {
        "tenant": tenant,
        "made_time": utc_datetime(made.made_ms),
        "start_time": None if made.start_ms is None else utc_datetime(made.start_ms),
        "end_time": utc_datetime(made.end_ms),
        "outcomes": [asdict(each) for each in made.outcomes],
        "differences": [asdict(each) for each in made.differences],
        "outcomes_left_out": made.outcomes_left_out,
        "sample_ratio_mismatches": [asdict(each) for each in made.sample_ratio_mismatches],
    }


def _print(made: ExperimentReport) -> None:
    columns = ["placement", "experiment", "variant", *_COUNTS, "revenue", *RATES]
    show(columns, [_row(each) for each in made.outcomes])
    if made.outcomes_left_out:
        say(f"{made.outcomes_left_out:,} more, of the fewest shoppers, are left out")
    if made.differences:
        rows = [
            [
                *(each.placement, each.experiment, f"{each.variant} - {each.baseline}"),
                *_texts(each.rates),
            ]
            for each in made.differences
        ]
        show(["placement", "experiment", "difference", *RATES], rows)


def _row(outcome: ReportedOutcome) -> list[str]:
    return [
        # A column without text would move the others for whoever splits lines at spaces.
        *(each or "-" for each in (outcome.placement, outcome.experiment, outcome.variant)),
        *(f"{getattr(outcome, name):,}" for name in _COUNTS),
        f"{outcome.revenue:,.2f}",
        *_texts(outcome.rates),
    ]


def _texts(rates: Rates) -> Iterable[str]:
    return (_text(rates[name]) for name in RATES)


def _text(rate: RateInterval) -> str:
    mean, low, high = (
        "-" if each is None else f"{each:.4f}" for each in (rate.mean, rate.low, rate.high)
    )
    return f"{mean} [{low}, {high}]"
