"""Output of the command line: progress on stderr; results, fit for a pipe, on stdout."""

import codecs
import json
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from recsys.core.errors import ConfigurationError
from recsys.files import is_stream

progress = Console(stderr=True, highlight=False, soft_wrap=True)

# Commands whose result a script can use take it by this name.
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead, for scripts.")
]


def say(text: str) -> None:
    """One line of progress."""
    progress.print(text, markup=False)


def check_output(path: Path) -> None:
    """Say before hours of work, not after them, that their result could not be written.

    Raises:
        ConfigurationError: when there is no such folder, or it cannot be written to.
    """
    if is_stream(path):
        if not os.access(path, os.W_OK):
            raise ConfigurationError(f"--output: no permission to write to {path}")
        return
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise ConfigurationError(f"--output: no such folder: {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"--output: no permission to write to the folder {folder}")


def show(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table of results, never cut to a terminal's width: ids must be copied whole."""
    lines = [columns, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def show_json(document: Mapping[str, Any]) -> None:
    """A result as one JSON document; a datetime is RFC 3339 text in UTC."""
    # What JSON cannot say, such as NaN, is a fault of ours and no text that a script stumbles over.
    text = json.dumps(
        document,
        indent=2,
        ensure_ascii=not _is_unicode(sys.stdout.encoding),
        allow_nan=False,
        default=_rfc_3339,
    )
    print(text)


def _is_unicode(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith("utf-")


def _rfc_3339(moment: object) -> str:
    if not isinstance(moment, datetime):
        raise TypeError(f"a result holds {type(moment).__name__}, which JSON cannot say")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
