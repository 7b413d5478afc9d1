"""The file that keeps what was not taken."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from recsys.files import errors_name
from recsys.importing.source import BadRow


class RejectFile:
    """JSON Lines of {file, line, reason, row}; it exists only when something was rejected.

    When it cannot be written, none is left: what it lacked would be taken for accepted.
    """

    def __init__(self, path: Path, source: Path) -> None:
        self.path = path
        self._source = source
        self._file: TextIO | None = None

    def write(self, rows: Iterable[BadRow]) -> None:
        with self._whole_or_none():
            for row in rows:
                record = {
                    "file": str(self._source),
                    "line": row.line,
                    "reason": row.reason,
                    "row": row.raw,
                }
                print(json.dumps(record, default=str), file=self._open())

    def __enter__(self) -> Self:
        # What an earlier run left would be taken for this one's.
        with errors_name(self.path):
            self.path.unlink(missing_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            with self._whole_or_none():
                self._file.close()

    @contextmanager
    def _whole_or_none(self) -> Iterator[None]:
        try:
            with errors_name(self.path):
                yield
        except OSError:
            self.path.unlink(missing_ok=True)
            raise

    def _open(self) -> TextIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8")
        return self._file
