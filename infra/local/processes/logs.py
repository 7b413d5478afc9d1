"""The end of a log file, for an error message or a look."""

import os
from pathlib import Path

_TAIL_BYTES = 64 * 1024


def tail(path: Path, lines: int = 20) -> str:
    """The last `lines` lines of `path`; "(empty)" when there is nothing to read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return "(empty)"
    return "\n".join(text.splitlines()[-lines:]) or "(empty)"
