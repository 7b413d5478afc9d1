"""Text files as blocks of whole lines in UTF-8, so that one bad line spoils no other."""

import codecs
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from recsys.core.errors import ConfigurationError, DamagedFile
from recsys.importing.opened_file import open_content
from recsys.importing.source import BadRow

# Large enough for columns to pay, small enough that a few of them fit in memory everywhere.
BLOCK_BYTES = 4 * 2**20
# A longer line is a file of another kind, and would have to be held in memory whole.
MAX_LINE_BYTES = 1_000_000
_RAW_SHOWN = 1000

_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


class LineBlock(NamedTuple):
    """Whole lines, each with its "\\n", the first of them with this 1-based number."""

    data: bytes
    first_line: int
    bad: list[BadRow]
    position: int


def line_blocks(path: Path, encoding: str) -> Iterator[LineBlock]:
    """Blocks of a file's lines, ended by "\\n", "\\r\\n" or, in a file that has no other, "\\r".

    Lines that are too long or not of the encoding are blank here, and in `bad`.

    Raises:
        DamagedFile: the compressed content is broken; the lines before have been yielded.
        ConfigurationError: there is no such encoding.
    """
    first_line, carried, bad, is_skipping = 1, b"", list[BadRow](), False
    position = 0
    for chunk, position in text_chunks(path, encoding):
        if is_skipping and b"\n" not in chunk:
            continue
        lines = chunk[chunk.find(b"\n") :] if is_skipping else carried + chunk
        end = lines.rfind(b"\n") + 1
        is_skipping = False
        if end:
            block = _checked(lines[:end], first_line, position)
            yield block._replace(bad=[*bad, *block.bad])
            first_line += block.data.count(b"\n")
            bad = []
        carried = lines[end:]
        if len(carried) > MAX_LINE_BYTES:
            bad.append(_too_long(first_line, carried))
            carried, is_skipping = b"", True
    if carried or bad:
        block = _checked(carried + b"\n", first_line, position)
        yield block._replace(bad=[*bad, *block.bad])


def shown(data: bytes) -> str:
    """The beginning of a line that could not be read, for people."""
    return data[:_RAW_SHOWN].decode(errors="replace").rstrip("\n")


def text_chunks(path: Path, encoding: str) -> Iterator[tuple[bytes, int]]:
    """The text in UTF-8, lines ended by "\\n", and how far the file on disk has been read."""
    with open_content(path) as file:
        chunk = file.read(BLOCK_BYTES)
        bom = next((bom for bom in _BOMS if chunk.startswith(bom)), b"")
        recode, chunk = _recoder(path, _BOMS.get(bom, encoding)), chunk[len(bom) :]
        newline, held = b"", b""
        while chunk:
            text = held + recode(chunk)
            newline = newline or (b"\r" if b"\r" in text and b"\n" not in text else b"\r\n")
            # A "\r\n" is not torn in two.
            held = b"\r" if text.endswith(b"\r") else b""
            if b"\r" in text:
                text = text.removesuffix(held).replace(newline, b"\n")
            yield text, file.position()
            chunk = file.read(BLOCK_BYTES)
        if held:
            yield held.replace(newline, b"\n"), file.position()


def _recoder(path: Path, encoding: str) -> Callable[[bytes], bytes]:
    """Turn chunks of a file into UTF-8; bytes that are not of the encoding stay as they are."""
    try:
        if codecs.lookup(encoding).name == "utf-8":
            return bytes
        decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    except LookupError as error:
        raise ConfigurationError(
            f"--encoding {encoding}: no such encoding; for example utf-8, cp1252, utf-16"
        ) from error

    def recode(chunk: bytes) -> bytes:
        try:
            return decoder.decode(chunk).encode(errors="surrogateescape")
        except UnicodeError as error:
            raise DamagedFile(path.name, f"is not {encoding}: {error}") from error

    return recode


def _checked(data: bytes, first_line: int, position: int) -> LineBlock:
    if _is_utf8(data) and not _has_long_line(data):
        return LineBlock(data, first_line, [], position)
    lines, bad = data.split(b"\n")[:-1], []
    for place, line in enumerate(lines):
        if len(line) > MAX_LINE_BYTES:
            bad.append(_too_long(first_line + place, line))
        elif not _is_utf8(line):
            reason = "is not UTF-8: say --encoding, for example cp1252"
            bad.append(BadRow(first_line + place, reason, shown(line)))
        else:
            continue
        lines[place] = b""
    return LineBlock(b"\n".join(lines) + b"\n", first_line, bad, position)


def _too_long(line: int, data: bytes) -> BadRow:
    return BadRow(line, f"is longer than {MAX_LINE_BYTES:,} bytes", shown(data))


def _has_long_line(data: bytes) -> bool:
    """Tell whether a line may be longer than MAX_LINE_BYTES: one that ends in each half is not."""
    half = MAX_LINE_BYTES // 2
    return any(
        data.find(b"\n", start, start + half) < 0 for start in range(0, len(data) - half, half)
    )


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
