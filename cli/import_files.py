"""`recsys import`: a shop's files into HBase."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.file_options import (
    Columns,
    Decimal,
    Delimiter,
    Encoding,
    EventType,
    EventTypes,
    Explode,
    Format,
    Mapping,
    NoHeader,
    QuotingOption,
    Separators,
    TimestampFormat,
    TimeUnitOption,
    TimeZone,
    event_options,
    read_options,
)
from cli.import_progress import report, report_undone, show_preview, watched
from cli.output import say
from cli.tenant_option import Tenant
from recsys.clock import utc_now_ms
from recsys.config.shops import shop_of
from recsys.core.ports import LiveCatalogue
from recsys.importing.bulk_writer import Tally
from recsys.importing.dry_run import preview
from recsys.importing.importer import MAX_REJECTED, Importer
from recsys.importing.item_rows import ItemOptions
from recsys.importing.named_files import named_files
from recsys.importing.plan import ImportPlan, Reading, plan_events, plan_items
from recsys.importing.presets import Preset
from recsys.importing.read_options import FileFormat, Quoting
from recsys.importing.times import TimeUnit
from recsys.importing.undo import undo as undo_import
from recsys.importing.values import Decimals
from recsys.stores.hbase.imports import HBaseImportLedger
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool, PoolSettings
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

app = typer.Typer(
    help="Import events and items from CSV, JSON, Parquet and XML files.", no_args_is_help=True
)

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Files, folders of them, 'patterns*.csv', URLs such as s3://bucket/folder, or - for"
        " standard input.",
    ),
]
PresetOption = Annotated[
    Preset | None, typer.Option(help="A known layout; other options go before it.")
]
Rejects = Annotated[
    Path,
    typer.Option(
        file_okay=False, help="Folder for the reject files: rejected rows and their reasons."
    ),
]
Again = Annotated[
    bool, typer.Option("--again", help="Import files again that were imported before.")
]

MaxRejected = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="Share of a file's rows that may be rejected; more end with code 4."
    ),
]
Undo = Annotated[
    bool,
    typer.Option(
        "--undo",
        help="Remove what importing these files stored; give the options that they were read by.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Show what would be imported; store nothing, need no HBase."),
]

_Plan = Callable[[HBasePool, ImportSettings, str], ImportPlan[Any]]


@app.command()
def events(
    files: Files,
    tenant: Tenant = None,
    preset: PresetOption = None,
    rejects: Rejects = Path(),
    max_rejected: MaxRejected = MAX_REJECTED,
    again: Again = False,
    undo: Undo = False,
    dry_run: DryRun = False,
    file_format: Format = FileFormat.AUTO,
    no_header: NoHeader = False,
    columns: Columns = "",
    delimiter: Delimiter = None,
    encoding: Encoding = "utf-8",
    quoting: QuotingOption = Quoting.AUTO,
    explode: Explode = None,
    mapping: Mapping = None,
    event_type: EventType = None,
    event_types: EventTypes = "",
    timestamp_format: TimestampFormat = None,
    time_unit: TimeUnitOption = TimeUnit.AUTO,
    timezone: TimeZone = "UTC",
    decimal: Decimal = Decimals.AUTO,
) -> None:
    """Import events.

    Fields: user_id, item_id, event_type and timestamp are required; event_id, quantity, price,
    order_id, rating and query are optional. Columns with usual names (customer_id, product_id, sku,
    date ...) are recognised; --dry-run shows which. An event_id counts once in 90 days, across
    files and the API, whatever else its row holds. Without event_id, rows that are equal in every
    field but rating and query are one event.

    Rows that break a rule go to FILE.events.rejects.jsonl with line number and reason; the others
    are stored. A file that was imported before is skipped; importing twice stores nothing twice.

    With --undo a file's events are removed again, but for those that came by the API or were merged
    into another user's. An event that another file has too is removed with them: import that file
    again with --again. Models are trained without them from the next `recsys nightly` on.

    Exit code: 0 when every file was imported, 1 when one could not be read to its end, 4 when more
    of its rows than --max-rejected were rejected.

    Examples:

        recsys import events orders.csv --mapping Kunde=user_id --event-type purchase --dry-run

        recsys import events --preset online-retail online_retail_ii.parquet
    """
    if undo and (again or dry_run):
        raise typer.BadParameter("--undo goes with neither --again nor --dry-run")
    how = read_options(file_format, no_header, columns, delimiter, encoding, quoting, explode)
    options = event_options(
        mapping, event_type, event_types, timestamp_format, time_unit, timezone, decimal
    )
    with named_files(files, say) as paths:
        readings = [Reading(path, how, events=options, preset=preset) for path in paths]
        if dry_run:
            found = load(ShopSettings)
            types = shop_of(found.shop_config, tenant or found.tenant, say).event_types
            store = MemoryInteractionStore()
            _preview(plan_events(each, "", store, types, utc_now_ms()) for each in readings)
            return
        settings = load(ImportSettings)
        plans = [partial(_plan_events, each) for each in readings]
        if undo:
            _undo(plans, settings, tenant)
        else:
            _run(plans, settings, tenant, rejects, max_rejected=max_rejected, again=again)


@app.command()
def items(
    files: Files,
    tenant: Tenant = None,
    preset: PresetOption = None,
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="Change only what the file has of an item, instead of replacing it."
        ),
    ] = False,
    rejects: Rejects = Path(),
    max_rejected: MaxRejected = MAX_REJECTED,
    dry_run: DryRun = False,
    file_format: Format = FileFormat.AUTO,
    no_header: NoHeader = False,
    columns: Columns = "",
    delimiter: Delimiter = None,
    encoding: Encoding = "utf-8",
    quoting: QuotingOption = Quoting.AUTO,
    explode: Explode = None,
    mapping: Mapping = None,
    separators: Separators = ">|",
    decimal: Decimal = Decimals.AUTO,
) -> None:
    """Import the catalogue.

    Fields: item_id is required; title, categories (a list, or text separated by > or |, see
    --separators), brand, price, available and attributes (a JSON object) are optional. --mapping
    COLUMN=attributes.NAME makes an attribute of another column. An item replaces the stored one of
    the same id, or with --update changes what the file has of it; further rows of it are merged
    into that. Items that the file does not name stay as they are. Recommendations follow within a
    second.

    A file that was imported before is imported again: the catalogue may have changed since.

    Invalid rows and the exit code: as for `recsys import events`.

    Examples:

        recsys import items catalogue.jsonl

        recsys import items prices.csv --update --mapping Farbe=attributes.colour
    """
    how = read_options(file_format, no_header, columns, delimiter, encoding, quoting, explode)
    if not separators:
        raise typer.BadParameter("--separators: expected characters such as '>|,'")
    options = ItemOptions(tuple(mapping or ()), decimal, update, separators)
    with named_files(files, say) as paths:
        readings = [Reading(path, how, items=options, preset=preset) for path in paths]
        if dry_run:
            stores = MemoryItemStore(), MemoryLiveCatalogue()
            _preview(plan_items(each, "", *stores) for each in readings)
            return
        settings = load(CatalogueImportSettings)
        with connect(settings.redis_url.get_secret_value()) as redis:
            live = RedisLiveCatalogue(redis)
            plans = [partial(_plan_items, live, each) for each in readings]
            _run(plans, settings, tenant, rejects, max_rejected=max_rejected)


def _plan_events(
    reading: Reading, pool: HBasePool, settings: ImportSettings, tenant: str
) -> ImportPlan[Any]:
    event_types = shop_of(settings.shop_config, tenant, say).event_types
    return plan_events(reading, tenant, HBaseInteractionStore(pool), event_types, utc_now_ms())


def _plan_items(
    live: LiveCatalogue, reading: Reading, pool: HBasePool, _settings: ImportSettings, tenant: str
) -> ImportPlan[Any]:
    return plan_items(reading, tenant, HBaseItemStore(pool), live)


def _preview(plans: Iterable[ImportPlan[Any]]) -> None:
    for plan in plans:
        show_preview(plan, preview(plan.source, plan.reader))


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


def _undo(plans: Sequence[_Plan], settings: ImportSettings, tenant: str | None) -> None:
    tenant = tenant or settings.tenant
    with closing(_pool(settings)) as pool:
        store, ledger = HBaseInteractionStore(pool), HBaseImportLedger(pool)
        # All files are looked at before the first event goes.
        for plan in [plan(pool, settings, tenant) for plan in plans]:
            tally = Tally()
            with _interruptible(tally), watched(plan, tally) as observe:
                was_known = undo_import(plan, tenant, store, ledger, tally, observe)
            report_undone(plan, tally, was_known=was_known)


def _pool(settings: ImportSettings) -> HBasePool:
    return HBasePool(
        settings.hbase_thrift, PoolSettings(call_timeout_seconds=_CALL_TIMEOUT_SECONDS)
    )


@contextmanager
def _interruptible(tally: Tally) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(f"interrupted after {tally.stored:,} rows; run the same command again to finish")
        raise typer.Exit(_INTERRUPTED) from None
