"""The report of experiments, counted by Spark from the events in HBase."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

from recsys.analysis.attribution import Outcome, report_of
from recsys.analysis.sample_ratio import sample_ratio_mismatches
from recsys.config.shop import Shop
from recsys.core.errors import NoData
from recsys.core.experiment_report import ExperimentReport, SampleRatioMismatch
from recsys.core.times import utc_datetime
from recsys.core.wording import pluralize
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.tenants import check_tenant
from spark_jobs.attribution import attributed
from spark_jobs.hbase_source import stored_events
from spark_jobs.session import spark_session
from spark_jobs.settings import ReportSettings
from spark_jobs.task_errors import errors_of_tasks


def make_report(
    settings: ReportSettings,
    tenant: str,
    shop: Shop,
    cart_type: str,
    period: tuple[int | None, int],
    made_ms: int,
    say: Callable[[str], None],
) -> ExperimentReport:
    """Count what came of recommendations in a period, see `cli.period.report_period`.

    Args:
        cart_type: the type of event by which an item comes into a basket.
        made_ms: now; what is still to come is in no report, whatever clocks say.

    Raises:
        NoData: nothing was shown in that time.
        NotSetUp: the tenant has no tables.
        Unavailable: HBase does not answer.
    """
    with closing(HBasePool(settings.hbase_thrift)) as pool:
        check_tenant(pool, tenant)
    start_ms, end_ms = period
    begun = time.perf_counter()
    say("starting Spark")
    with errors_of_tasks(), spark_session(settings, "recsys report") as spark:
        since = "the first one" if start_ms is None else _utc(start_ms)
        say(f"reading the events of {tenant} from {since} to {_utc(end_ms)}")
        events = stored_events(
            spark, settings.hbase_thrift, tenant, start_ms or 0, end_ms, context="true"
        )
        outcomes = attributed(events, shop, cart_type)
    if not outcomes:
        raise NoData(
            f"tenant {tenant} has no impressions with a recommendation_id in that time: see"
            " docs/how-to/experiments.md"
        )
    say(f"{pluralize(len(outcomes), 'outcome')} counted in {time.perf_counter() - begun:.1f} s")
    _tell_unpriced(outcomes, say)
    mismatches = sample_ratio_mismatches(outcomes, shop.experiments)
    tell_mismatches(mismatches, say)
    baselines = {each.name: each.variants[0].name for each in shop.experiments}
    return report_of(
        outcomes,
        baselines,
        mismatches,
        made_ms=made_ms,
        start_ms=start_ms,
        end_ms=min(end_ms, made_ms),
    )


def _tell_unpriced(outcomes: Sequence[Outcome], say: Callable[[str], None]) -> None:
    orders = sum(each.orders for each in outcomes)
    if unpriced := sum(each.unpriced_orders for each in outcomes):
        say(
            f"{unpriced:,} of {pluralize(orders, 'order')} without a price, which add nothing to"
            " revenue: send the price of one unit with each"
        )


def tell_mismatches(mismatches: Iterable[SampleRatioMismatch], say: Callable[[str], None]) -> None:
    """Say of which experiments the groups are not those that were asked for."""
    for found in mismatches:
        groups = ", ".join(
            f"{each.variant} {each.users:,} (expected {each.expected:,.0f})"
            for each in found.groups
        )
        say(
            f"sample ratio mismatch in {found.experiment} at {found.placement}: users of {groups},"
            f" p = {found.p_value:.2g}. Do not trust its differences: look for a variant whose"
            " impressions are lost, or start the report after the last change of weights"
        )


def _utc(time_ms: int) -> str:
    return f"{utc_datetime(time_ms):%Y-%m-%d %H:%M} UTC"
