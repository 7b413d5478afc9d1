"""Text files, plain or gzipped, whose reading can be watched."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import BinaryIO, cast


@contextmanager
def open_text(path: Path) -> Iterator[tuple[TextIOWrapper, BufferedReader]]:
    """The decoded text, and the file beneath it whose `tell` says how far reading has come.

    Bytes that are not utf-8 become lone surrogates, which the domain refuses: they spoil their own
    row and no other.
    """
    with path.open("rb") as raw:
        content = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
        with TextIOWrapper(
            content, encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as text:
            yield text, raw
