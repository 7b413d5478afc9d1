"""`recsys import`: its options; `cli.import_run` does the work."""

from pathlib import Path
from typing import Annotated

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
from cli.output import AsJson, say
from cli.tenant_option import Tenant
from recsys.importing.importer import MAX_REJECTED
from recsys.importing.item_rows import ItemOptions
from recsys.importing.named_files import named_files
from recsys.importing.plan import Reading
from recsys.importing.presets import Preset
from recsys.importing.read_options import FileFormat, Quoting
from recsys.importing.times import TimeUnit
from recsys.importing.values import Decimals

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
    as_json: AsJson = False,
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

    Exit code: 0 when every file was imported, or undone; 1 when one could not be read to its end,
    or there was nothing to undo; 4 when more of its rows than --max-rejected were rejected.

    Examples:

        recsys import events orders.csv --mapping Kunde=user_id --event-type purchase --dry-run

        recsys import events --preset online-retail online_retail_ii.parquet
    """
    if undo and (again or dry_run):
        raise typer.BadParameter("--undo goes with neither --again nor --dry-run")
    _check_json(as_json, dry_run)
    # Brings the stores' clients along, for which `--help` need not wait.
    from cli import import_run

    how = read_options(file_format, no_header, columns, delimiter, encoding, quoting, explode)
    options = event_options(
        mapping, event_type, event_types, timestamp_format, time_unit, timezone, decimal
    )
    with named_files(files, say) as paths:
        readings = [Reading(path, how, events=options, preset=preset) for path in paths]
        if dry_run:
            import_run.preview_events(readings, tenant, max_rejected, as_json=as_json)
        elif undo:
            import_run.undo_events(readings, tenant)
        else:
            import_run.import_events(
                readings, tenant, rejects, max_rejected=max_rejected, again=again
            )


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
    as_json: AsJson = False,
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
    _check_json(as_json, dry_run)
    # Brings the stores' clients along, for which `--help` need not wait.
    from cli import import_run

    how = read_options(file_format, no_header, columns, delimiter, encoding, quoting, explode)
    if not separators:
        raise typer.BadParameter("--separators: expected characters such as '>|,'")
    options = ItemOptions(tuple(mapping or ()), decimal, update, separators)
    with named_files(files, say) as paths:
        readings = [Reading(path, how, items=options, preset=preset) for path in paths]
        if dry_run:
            import_run.preview_items(readings, max_rejected, as_json=as_json)
        else:
            import_run.import_items(readings, tenant, rejects, max_rejected=max_rejected)


def _check_json(as_json: bool, dry_run: bool) -> None:
    if as_json and not dry_run:
        raise typer.BadParameter("--json goes with --dry-run: an import itself has no result")
