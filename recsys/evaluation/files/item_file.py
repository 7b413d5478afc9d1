"""From a file to items, read as `recsys import items` reads them."""

from dataclasses import dataclass, field
from pathlib import Path

from recsys.core.domain import Item
from recsys.evaluation.files.checked_rows import checked_records
from recsys.importing.bulk_writer import Tally
from recsys.importing.file_format import open_source
from recsys.importing.header import columns_explained
from recsys.importing.item_rows import ItemOptions, ItemReader
from recsys.importing.read_options import ReadOptions


@dataclass(frozen=True)
class ItemFile:
    """A file of items, and how it is read.

    Attributes:
        items: how its columns become items.
        max_rejected: the share of rows that may break rules, and are left out.
    """

    path: Path
    items: ItemOptions = field(default_factory=ItemOptions)
    max_rejected: float = 0.0


def read_items(file: ItemFile) -> tuple[list[Item], Tally]:
    """Read the items, several rows about one item merged; and the account of the rows.

    Raises:
        InvalidInput: naming the file, and the first row that breaks a rule where too many do.
        ConfigurationError: the file cannot be read, or has not the columns.
    """
    source = open_source(file.path, ReadOptions())
    with columns_explained(source, file.path.name):
        reader = ItemReader(source.columns(), file.items)
    found, tally = dict[str, Item](), Tally()
    for rows in checked_records(file.path, source, reader, file.max_rejected, tally):
        for row in rows:
            found[row.item_id] = row.merged_into(found.get(row.item_id))
    return list(found.values()), tally
