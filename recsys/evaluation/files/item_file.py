"""From files to items, read as `recsys import items` reads them."""

from collections import Counter
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
class ItemFiles:
    """Files of items, and how they are read.

    Attributes:
        items: how their columns become items.
        max_rejected: the share of a file's rows that may break rules, and are left out.
    """

    paths: tuple[Path, ...]
    items: ItemOptions = field(default_factory=ItemOptions)
    max_rejected: float = 0.0


def read_items(files: ItemFiles) -> tuple[list[Item], Counter[str]]:
    """Read the items, several rows about one item merged; and count what was left out, by reason.

    Raises:
        InvalidInput: naming the file, and the first row that breaks a rule where too many do.
        ConfigurationError: the file cannot be read, or has not the columns.
    """
    found, left_out = dict[str, Item](), Counter[str]()
    for path in files.paths:
        source = open_source(path, ReadOptions())
        with columns_explained(source, path.name):
            reader = ItemReader(source.columns(), files.items)
        tally = Tally()
        for rows in checked_records(path, source, reader, files.max_rejected, tally):
            for row in rows:
                found[row.item_id] = row.merged_into(found.get(row.item_id))
        left_out += tally.rejected + tally.dropped
    return list(found.values()), left_out
