"""The file that keeps what was not taken."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from recsys.files import errors_name
from recsys.importing.jsonl_source import REJECTS_SUFFIX
from recsys.importing.source import BadRow


class RejectFile:
    """JSON Lines of {tenant, file, line, reason, row}; only there when something was rejected.

    It can be imported like any other, once what was wrong is mended.

    When it cannot be written, none is left: what it lacked would be taken for accepted. What an
    earlier import of the same file left is replaced, that of another file never.

    Args:
        folder: where it goes.
        kind: "events" or "items".
        source: the file whose rows they are.
    """

    def __init__(self, folder: Path, kind: str, tenant: str, source: Path) -> None:
        self._tenant = tenant
        self._source = str(source.resolve())
        self.path = self._path_of(folder, f"{source.name}.{kind}")
        self._file: TextIO | None = None

    def write(self, rows: Iterable[BadRow]) -> None:
        with self._whole_or_none():
            for row in rows:
                record = {
                    "tenant": self._tenant,
                    "file": self._source,
                    "line": row.line,
                    "reason": row.reason,
                    "row": row.raw,
                }
                print(json.dumps(record, default=_as_json), file=self._open())

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

    def _path_of(self, folder: Path, name: str) -> Path:
        """The first name that is free or this file's own."""
        for number in count(1):
            path = folder / f"{name}{'' if number == 1 else f'.{number}'}{REJECTS_SUFFIX}"
            with errors_name(path):
                if not path.exists() or self._is_own(path):
                    return path
        raise AssertionError("count does not end")

    def _is_own(self, path: Path) -> bool:
        with path.open(encoding="utf-8", errors="replace") as file:
            line = file.readline()
        try:
            first = json.loads(line)
            return (first["tenant"], first["file"]) == (self._tenant, self._source)
        except (ValueError, KeyError, TypeError):
            return False

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


def _as_json(value: Any) -> Any:
    """What JSON has no form for; bytes are a value within the value, which is no id by mistake."""
    return {"hex": value.hex()} if isinstance(value, bytes) else str(value)
