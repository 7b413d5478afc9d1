"""Options of the commands that read a shop's files: `recsys import` and `recsys evaluate`."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from recsys.core.errors import ConfigurationError
from recsys.importing.event_columns import EventOptions
from recsys.importing.read_options import FileFormat, Quoting, ReadOptions
from recsys.importing.times import TimeOptions, TimeUnit
from recsys.importing.values import Decimals

_FILE = "How the file is written"
_COLUMNS = "What its columns are"
_VALUES = "How its values are written"

Format = Annotated[
    FileFormat,
    typer.Option(
        "--format",
        help="auto goes by the file's name; lists: a user and then their items on each line.",
        rich_help_panel=_FILE,
    ),
]
NoHeader = Annotated[
    bool,
    typer.Option("--no-header", help="Line 1 is a row; needs --columns.", rich_help_panel=_FILE),
]
Columns = Annotated[
    str,
    typer.Option(metavar="NAME,...", help="Names of the columns, in order.", rich_help_panel=_FILE),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        help="Between the fields of a CSV line, such as ; or :: or \\t. Found by itself among"
        " , ; | :: and tab.",
        rich_help_panel=_FILE,
    ),
]
Encoding = Annotated[str, typer.Option(help="Of a text file.", rich_help_panel=_FILE)]
QuotingOption = Annotated[
    Quoting,
    typer.Option("--quoting", help='none: a " is a letter as any.', rich_help_panel=_FILE),
]
Explode = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="List whose elements are the rows, as the lines of orders are: line_items. Their"
        " values are the columns line_items.sku ...; JSON and Parquet.",
        rich_help_panel=_FILE,
    ),
]
Mapping = Annotated[
    list[str] | None,
    typer.Option(
        "--mapping",
        metavar="COLUMN=FIELD",
        help="Column that holds a field, or none with COLUMN=; repeat for several columns.",
        rich_help_panel=_COLUMNS,
    ),
]
EventType = Annotated[
    str | None,
    typer.Option(
        help="Type of all events; goes before a column that --mapping does not name.",
        rich_help_panel=_COLUMNS,
    ),
]
EventTypes = Annotated[
    str,
    typer.Option(
        metavar="NAME=TYPE,...",
        help="What the file calls event types: cart=add_to_cart,pv=view. Common names are known.",
        rich_help_panel=_VALUES,
    ),
]
TimestampFormat = Annotated[
    str | None,
    typer.Option(
        metavar="PATTERN",
        help="Of times, as of Python's strptime: '%d/%m/%Y %H:%M'.",
        rich_help_panel=_VALUES,
    ),
]
TimeUnitOption = Annotated[
    TimeUnit,
    typer.Option(
        "--time-unit",
        help="Of times that are numbers; auto goes by their size.",
        rich_help_panel=_VALUES,
    ),
]
TimeZone = Annotated[
    str,
    typer.Option(
        "--timezone", help="Of times that name none: Europe/Berlin.", rich_help_panel=_VALUES
    ),
]
Separators = Annotated[
    str,
    typer.Option(
        metavar="CHARACTERS",
        help="Between the categories of a text, and between tags beside the comma.",
        rich_help_panel=_VALUES,
    ),
]
Decimal = Annotated[
    Decimals,
    typer.Option(
        "--decimal", help="Before the cents; auto where it shows.", rich_help_panel=_VALUES
    ),
]


def read_options(
    file_format: FileFormat,
    no_header: bool,
    columns: str,
    delimiter: str | None,
    encoding: str,
    quoting: Quoting,
    explode: str | None,
) -> ReadOptions:
    """
    Raises:
        ConfigurationError: an option makes no sense.
    """
    names = tuple(name.strip() for name in columns.split(",") if name.strip())
    if no_header != bool(names):
        raise ConfigurationError("--no-header and --columns NAME,... belong together")
    if len(set(names)) < len(names):
        raise ConfigurationError(f"--columns {columns}: a name is there twice")
    if delimiter is not None:
        delimiter = delimiter.replace("\\t", "\t")
        if not delimiter or set(delimiter) & set('"\n\r'):
            raise ConfigurationError("--delimiter: expected a character such as ; or ::")
    return ReadOptions(file_format, names, delimiter, encoding, quoting, explode)


def event_options(
    mapping: list[str] | None,
    event_type: str | None,
    event_types: str,
    timestamp_format: str | None,
    time_unit: TimeUnit,
    timezone: str,
    decimal: Decimals = Decimals.AUTO,
) -> EventOptions:
    """
    Raises:
        ConfigurationError: there is no such time zone.
    """
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"--timezone {timezone}: no such time zone; for example Europe/Berlin"
        ) from error
    times = TimeOptions(timestamp_format, time_unit, timezone)
    return EventOptions(tuple(mapping or ()), event_type, event_types, times, decimal)
