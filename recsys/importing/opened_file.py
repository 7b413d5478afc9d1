"""Files as bytes, whatever they are compressed with, whose reading can be watched."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import pyarrow as pa

from recsys.core.errors import ConfigurationError, DamagedFile

COMPRESSED_SUFFIXES = (".gz", ".zst", ".bz2", ".xz", ".zip")
# Of a piece that is damaged nothing is read.
_PIECE_BYTES = 2**16
# How a .zip without any file begins.
_EMPTY_ZIP = b"PK\x05\x06"


class OpenedFile(NamedTuple):
    """The content, and how many bytes of the file on disk have been read for it."""

    read: Callable[[int], bytes]
    position: Callable[[], int]


@contextmanager
def open_content(path: Path) -> Iterator[OpenedFile]:
    """Open a file; it is unpacked where its first bytes say that it is compressed.

    Raises:
        DamagedFile: from `read`, when the compressed content is broken or ends too early.
        ConfigurationError: a .zip holds several files, or none.
    """
    with path.open("rb") as raw:
        start = raw.read(6)
        raw.seek(0)
        content = _unpacked(path, start, raw)
        yield OpenedFile(raw.read if content is raw else _Unpacked(path, content).read, raw.tell)


def _unpacked(path: Path, start: bytes, raw: BinaryIO) -> Any:
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=raw)
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return pa.CompressedInputStream(pa.PythonFile(raw), "zstd")
    if start.startswith(b"BZh"):
        return bz2.BZ2File(raw)
    if start.startswith(b"\xfd7zXZ\x00"):
        return lzma.LZMAFile(raw)
    if start.startswith((b"PK\x03\x04", _EMPTY_ZIP)):
        return _only_member(path, raw)
    if path.suffix in COMPRESSED_SUFFIXES and start:
        raise DamagedFile(path.name, f"is not a {path.suffix} file")
    return raw


def _only_member(path: Path, raw: BinaryIO) -> BinaryIO:
    try:
        archive = zipfile.ZipFile(raw)
    except zipfile.BadZipFile as error:
        raise DamagedFile(path.name, f"is a damaged .zip file: {error}") from error
    names = [
        each.filename
        for each in archive.infolist()
        if not each.is_dir() and not each.filename.startswith("__MACOSX/")
    ]
    if not names:
        raise ConfigurationError(f"{path} holds no file: is the export whole?")
    if len(names) != 1:
        raise ConfigurationError(
            f"{path} holds {len(names)} files ({', '.join(names[:5])}): unpack it, then name one"
        )
    return cast(BinaryIO, archive.open(names[0]))


class _Unpacked:
    """Content that is unpacked in pieces, so that what comes before a damage is not lost."""

    def __init__(self, path: Path, content: Any) -> None:
        self._path, self._content = path, content
        self._damage: DamagedFile | None = None

    def read(self, size: int) -> bytes:
        pieces, missing = list[bytes](), size
        while missing > 0 and not self._damage:
            try:
                piece = bytes(self._content.read(min(missing, _PIECE_BYTES)))
            except (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
                self._damage = DamagedFile(self._path.name, f"is damaged or not whole: {error}")
                break
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        if self._damage and not pieces:
            raise self._damage
        return b"".join(pieces)
