"""The work of `recsys import`: a shop's files, one after the other, into HBase."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import typer

from cli.import_progress import preview_document, report, report_undone, show_preview, watched
from cli.output import say, show_json
from recsys.clock import utc_now_ms
from recsys.config.shops import shop_of
from recsys.core.ports import LiveCatalogue
from recsys.core.wording import pluralize
from recsys.importing.bulk_writer import Tally
from recsys.importing.dry_run import preview
from recsys.importing.importer import Importer
from recsys.importing.plan import ImportPlan, Reading, plan_events, plan_items
from recsys.importing.undo import undo
from recsys.stores.hbase.imports import HBaseImportLedger
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool, PoolSettings
from recsys.stores.hbase.tenants import check_tenant
from recsys.stores.memory.interactions import MemoryInteractionStore
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from recsys.stores.redis.connect import connect
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from spark_jobs.settings import CatalogueImportSettings, ImportSettings, ShopSettings, load

_INTERRUPTED = 130
_TOO_MANY_REJECTED = 4
# A batch waits for a region server that flushes or restarts.
_CALL_TIMEOUT_SECONDS = 60

_Plan = Callable[[HBasePool, ImportSettings, str], ImportPlan[Any]]


def import_events(
    readings: Sequence[Reading],
    tenant: str | None,
    rejects: Path,
    *,
    max_rejected: float,
    again: bool,
) -> None:
    """Store the events of files. Exits with 1 or 4 as `recsys import events` says."""
    settings = load(ImportSettings)
    plans = [partial(_plan_events, each) for each in readings]
    _run(plans, settings, tenant, rejects, max_rejected=max_rejected, again=again)


def import_items(
    readings: Sequence[Reading], tenant: str | None, rejects: Path, *, max_rejected: float
) -> None:
    """Store the items of files, in HBase and the live catalogue. Exits as `import_events` does."""
    settings = load(CatalogueImportSettings)
    with connect(settings.redis_url.get_secret_value()) as redis:
        live = RedisLiveCatalogue(redis)
        plans = [partial(_plan_items, live, each) for each in readings]
        _run(plans, settings, tenant, rejects, max_rejected=max_rejected)


def undo_events(readings: Sequence[Reading], tenant: str | None) -> None:
    """Remove what importing files stored. Exits with 1 where there was nothing to undo."""
    settings = load(ImportSettings)
    tenant = tenant or settings.tenant
    was_each_undone = True
    with closing(_pool(settings)) as pool:
        check_tenant(pool, tenant)
        store, ledger = HBaseInteractionStore(pool), HBaseImportLedger(pool)
        # All files are looked at before the first event goes.
        for plan in [_plan_events(each, pool, settings, tenant) for each in readings]:
            tally = Tally()
            with _interruptible(tally), watched(plan, tally) as observe:
                was_known = undo(plan, tenant, store, ledger, tally, observe)
            report_undone(plan, tally, was_known=was_known)
            was_each_undone &= was_known or tally.stored > 0
    if not was_each_undone:
        raise typer.Exit(1)


def preview_events(
    readings: Sequence[Reading], tenant: str | None, max_rejected: float, *, as_json: bool
) -> None:
    """Show what would be imported. Exits with 4 where the import would."""
    settings = load(ShopSettings)
    types = shop_of(settings.shop_config, tenant or settings.tenant, say).event_types
    store = MemoryInteractionStore()
    plans = (plan_events(each, "", store, types, utc_now_ms()) for each in readings)
    _preview(plans, max_rejected, as_json=as_json)


def preview_items(readings: Sequence[Reading], max_rejected: float, *, as_json: bool) -> None:
    """Show what would be imported. Exits with 4 where the import would."""
    stores = MemoryItemStore(), MemoryLiveCatalogue()
    plans = (plan_items(each, "", *stores) for each in readings)
    _preview(plans, max_rejected, as_json=as_json)


def _plan_events(
    reading: Reading, pool: HBasePool, settings: ImportSettings, tenant: str
) -> ImportPlan[Any]:
    event_types = shop_of(settings.shop_config, tenant, say).event_types
    return plan_events(reading, tenant, HBaseInteractionStore(pool), event_types, utc_now_ms())


def _plan_items(
    live: LiveCatalogue, reading: Reading, pool: HBasePool, _settings: ImportSettings, tenant: str
) -> ImportPlan[Any]:
    return plan_items(reading, tenant, HBaseItemStore(pool), live)


def _preview(plans: Iterable[ImportPlan[Any]], max_rejected: float, *, as_json: bool) -> None:
    has_too_many_rejected = False
    documents = []
    for plan in plans:
        found = preview(plan.source, plan.reader)
        if as_json:
            documents.append(preview_document(plan, found))
        else:
            show_preview(plan, found)
        has_too_many_rejected |= found.tally.rejected_share() > max_rejected
    if as_json:
        show_json({"files": documents})
    if has_too_many_rejected:
        raise typer.Exit(_TOO_MANY_REJECTED)


def _run(
    plans: Sequence[_Plan],
    settings: ImportSettings,
    tenant: str | None,
    rejects: Path,
    *,
    max_rejected: float,
    again: bool = False,
) -> None:
    tenant = tenant or settings.tenant
    with closing(_pool(settings)) as pool:
        check_tenant(pool, tenant)
        importer = Importer(
            tenant, HBaseImportLedger(pool), rejects, again=again, max_rejected=max_rejected
        )
        # All files are looked at before the first one lands: a wrong mapping shows at once.
        file_plans = [plan(pool, settings, tenant) for plan in plans]
        outcomes = []
        for file_plan in file_plans:
            tally = Tally()
            with _interruptible(tally), watched(file_plan, tally) as observe:
                outcomes.append(importer.run(file_plan, tally, observe))
            report(outcomes[-1])
        if any(outcome.has_too_many_rejected for outcome in outcomes):
            raise typer.Exit(_TOO_MANY_REJECTED)
        if any(outcome.ended for outcome in outcomes):
            raise typer.Exit(1)


def _pool(settings: ImportSettings) -> HBasePool:
    return HBasePool(
        settings.hbase_thrift, PoolSettings(call_timeout_seconds=_CALL_TIMEOUT_SECONDS)
    )


@contextmanager
def _interruptible(tally: Tally) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        rows = pluralize(tally.stored, "row")
        say(f"interrupted after {rows}; run the same command again to finish")
        raise typer.Exit(_INTERRUPTED) from None
