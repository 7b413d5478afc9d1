"""Text files of research: a user and then their items on each line."""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.core.errors import ConfigurationError
from recsys.importing.read_options import ReadOptions
from recsys.importing.source import Column, Elements, RawBatch
from recsys.importing.text_lines import LineBlock, line_blocks

_USER, _ITEM, _POSITION = "user_id", "item_id", "position"


class ListsSource:
    """A row for each item of a line, with its 1-based position among them.

    A user may have several lines, or one without items, which makes no row.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path, self._encoding = path, options.encoding
        self._delimiter = None if options.delimiter is None else options.delimiter.encode()
        self.size = path.stat().st_size

    def columns(self) -> list[str]:
        """The three columns that such a file has.

        Raises:
            ConfigurationError: no line has a user and an item.
        """
        if not any(len(batch) for batch in self.batches()):
            raise ConfigurationError(
                f"{self._path.name}: no line has a user and their items, with "
                f"{'spaces' if self._delimiter is None else '--delimiter'} between them"
            )
        return [_USER, _ITEM, _POSITION]

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        for block in line_blocks(self._path, self._encoding):
            yield self._batch(block, wanted)

    def _batch(self, block: LineBlock, wanted: Collection[str] | None) -> RawBatch:
        lines = [self._values(line) for line in block.data.split(b"\n")]
        counts = [max(len(line) - 1, 0) for line in lines]
        elements = Elements.of(counts, [_USER])
        users = [line[0] for line in lines for _ in line[1:]]
        items = [item for line in lines for item in line[1:]]
        columns: dict[str, Column] = {
            _USER: pa.array(users, pa.binary()).cast(pa.string()),
            _ITEM: pa.array(items, pa.binary()).cast(pa.string()),
            _POSITION: pa.array(elements.places),
        }
        return RawBatch(
            columns={
                name: column for name, column in columns.items() if wanted is None or name in wanted
            },
            lines=np.repeat(np.arange(len(lines)) + block.first_line, counts),
            bad=block.bad,
            position=block.position,
            raw=lambda place: {name: column[place].as_py() for name, column in columns.items()},
            elements=elements,
        )

    def _values(self, line: bytes) -> list[bytes]:
        values = (value.strip() for value in line.split(self._delimiter))
        return [value for value in values if value]
