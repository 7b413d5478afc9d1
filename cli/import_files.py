"""`recsys import`: a shop's files into HBase."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.import_progress import report, watched
from cli.output import say
from cli.tenant_option import Tenant
from recsys.config.shops import shop_of
from recsys.core.ports import LiveCatalogue
from recsys.importing.bulk_writer import Tally
from recsys.importing.file_format import FileFormat
from recsys.importing.importer import Importer
from recsys.importing.plan import ImportPlan, Preset, Reading, plan_events, plan_items
from recsys.stores.hbase.imports import HBaseImportLedger
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.items import HBaseItemStore
from recsys.stores.hbase.pool import HBasePool, PoolSettings
from recsys.stores.redis.connect import connect
from recsys.stores.redis.live_catalogue import RedisLiveCatalogue
from spark_jobs.settings import CatalogueImportSettings, ImportSettings, load

_INTERRUPTED = 130
# A batch waits for a region server that flushes or restarts.
_CALL_TIMEOUT_SECONDS = 60

app = typer.Typer(
    help="Import events and items from CSV, JSON Lines and Parquet files.", no_args_is_help=True
)

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", exists=True, dir_okay=False, readable=True)
]
Format = Annotated[
    FileFormat, typer.Option("--format", help="File format; auto goes by the file's name.")
]
MappingOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=FIELD", help="Column that holds a field; repeat for several columns."
    ),
]
PresetOption = Annotated[Preset | None, typer.Option(help="A known layout of columns.")]
Rejects = Annotated[
    Path,
    typer.Option(
        file_okay=False, help="Folder for the reject files: rejected rows and their reasons."
    ),
]
Again = Annotated[
    bool, typer.Option("--again", help="Import files again that were imported before.")
]

_Plan = Callable[[Reading, HBasePool, ImportSettings, str], ImportPlan[Any]]


@app.command()
def events(
    files: Files,
    tenant: Tenant = None,
    file_format: Format = FileFormat.AUTO,
    mapping: MappingOption = None,
    preset: PresetOption = None,
    event_type: Annotated[
        str | None, typer.Option(help="Type of all events of a file without such a column.")
    ] = None,
    rejects: Rejects = Path(),
    again: Again = False,
) -> None:
    """Import events.

    Fields: user_id, item_id, event_type and timestamp are required; event_id, quantity, price and
    order_id are optional. Columns with usual names (customer_id, product_id, sku, date ...) are
    recognised. A timestamp is ISO 8601 (UTC unless it says otherwise) or seconds or
    milliseconds since 1970. An event_id counts once in 90 days, across files and the API, whatever
    else its row holds. Without event_id, rows that are equal in every field are one event.

    Rows that break a rule go to FILE.events.rejects.jsonl with line number and reason; the others
    are stored. A file that was imported before is skipped; importing twice stores nothing twice.

    Exit code: 0 when every file had valid rows, 1 when one had none.

    Examples:

        recsys import events orders.csv --mapping Kunde=user_id --event-type purchase

        recsys import events --preset online-retail online_retail_ii.parquet
    """
    readings = [
        Reading(path, file_format, tuple(mapping or ()), preset, event_type) for path in files
    ]
    _run(_plan_events, load(ImportSettings), readings, tenant, rejects, again=again)


@app.command()
def items(
    files: Files,
    tenant: Tenant = None,
    file_format: Format = FileFormat.AUTO,
    mapping: MappingOption = None,
    preset: PresetOption = None,
    rejects: Rejects = Path(),
) -> None:
    """Import the catalogue.

    Fields: item_id is required; title, categories (a list, or text separated by > or |), brand,
    price, available and attributes (a JSON object) are optional. --mapping COLUMN=attributes.NAME
    makes an attribute of another column. An item replaces the stored one of the same id; items that
    the file does not name stay as they are. Recommendations follow within a second.

    A file that was imported before is imported again: the catalogue may have changed since.

    Invalid rows and the exit code: as for `recsys import events`.

    Examples:

        recsys import items catalogue.jsonl

        recsys import items products.csv --mapping Farbe=attributes.colour
    """
    readings = [Reading(path, file_format, tuple(mapping or ()), preset) for path in files]
    settings = load(CatalogueImportSettings)
    with connect(settings.redis_url.get_secret_value()) as redis:
        live = RedisLiveCatalogue(redis)
        _run(partial(_plan_items, live), settings, readings, tenant, rejects)


def _plan_events(
    reading: Reading, pool: HBasePool, settings: ImportSettings, tenant: str
) -> ImportPlan[Any]:
    event_types = shop_of(settings.shop_config, tenant, say).event_types
    now_ms = int(time.time() * 1000)
    return plan_events(reading, tenant, HBaseInteractionStore(pool), event_types, now_ms)


def _plan_items(
    live: LiveCatalogue, reading: Reading, pool: HBasePool, _settings: ImportSettings, tenant: str
) -> ImportPlan[Any]:
    return plan_items(reading, tenant, HBaseItemStore(pool), live)


def _run(
    plan: _Plan,
    settings: ImportSettings,
    readings: list[Reading],
    tenant: str | None,
    rejects: Path,
    *,
    again: bool = False,
) -> None:
    tenant = tenant or settings.tenant
    pool = HBasePool(
        settings.hbase_thrift, PoolSettings(call_timeout_seconds=_CALL_TIMEOUT_SECONDS)
    )
    importer = Importer(tenant, HBaseImportLedger(pool), rejects, again=again)
    # All files are looked at before the first one lands: a wrong mapping shows at once.
    plans = [plan(reading, pool, settings, tenant) for reading in readings]
    outcomes = []
    for file_plan in plans:
        tally = Tally()
        with _interruptible(tally), watched(file_plan, tally) as observe:
            outcomes.append(importer.run(file_plan, tally, observe))
        report(outcomes[-1])
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)


@contextmanager
def _interruptible(tally: Tally) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(f"interrupted after {tally.landed:,} rows; run the same command again to finish")
        raise typer.Exit(_INTERRUPTED) from None
