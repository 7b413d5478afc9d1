"""Files that a command line names: by themselves, by a folder, pattern or URL, or as input."""

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from glob import glob, has_magic
from pathlib import Path, PurePath
from typing import BinaryIO, NoReturn

from recsys.core.errors import ConfigurationError
from recsys.importing.file_format import has_known_name
from recsys.importing.remote_files import fetch, is_remote

STANDARD_INPUT = "-"


@contextmanager
def named_files(
    names: Sequence[str], say: Callable[[str], None] = lambda _: None
) -> Iterator[list[Path]]:
    """The files; standard input, pipes and what is elsewhere are kept for as long as this lasts.

    Raises:
        ConfigurationError: a name names no file.
        OSError: a folder, or one within it, may not be read.
    """
    with tempfile.TemporaryDirectory(prefix="recsys-files-") as kept:
        yield [
            path
            for number, name in enumerate(names)
            for path in _files(name, Path(kept) / str(number), say)
        ]


def _files(name: str, folder: Path, say: Callable[[str], None]) -> list[Path]:
    if name == STANDARD_INPUT:
        return [_kept(sys.stdin.buffer, folder / "standard-input")]
    path = Path(name)
    if path.is_fifo():  # as the shell makes one of <(zcat events.gz)
        with path.open("rb") as pipe:
            return [_kept(pipe, folder / path.name)]
    if is_remote(name):
        found = fetch(name, folder, _is_data, say)
    elif path.is_dir():
        found = [each for each in _inside(path) if _is_data(each.relative_to(path))]
    elif path.exists():
        found = [path]
    else:
        found = _matches(name)
    if not found:
        raise ConfigurationError(f"{name}: there is no such file")
    return found


def _inside(folder: Path) -> list[Path]:
    """All files of a folder and those within it.

    Raises:
        OSError: one of them may not be read. Path.rglob passes it over without a word, and an
            import of half the files would look like one of all.
    """

    def refuse(error: OSError) -> NoReturn:
        raise error

    walk = os.walk(folder, onerror=refuse)
    paths = sorted(Path(place, name) for place, _, names in walk for name in names)
    return [path for path in paths if _is_file(path)]


def _matches(pattern: str) -> list[Path]:
    """All files that a pattern matches.

    Raises:
        OSError: one of them, or a folder where some may be, may not be read. `glob` passes it over.
    """
    parts = Path(pattern).parts
    [first, *_] = [*(at for at, part in enumerate(parts) if has_magic(part)), len(parts)]
    for at in range(first, len(parts) + (parts[-1] == "**")):
        for folder in _glob(str(Path(*parts[:at]))):
            if folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    return [path for path in _glob(pattern) if _is_file(path)]


def _glob(pattern: str) -> list[Path]:
    # Of pathlib's own, none takes an absolute pattern.
    return [Path(name) for name in sorted(glob(pattern, recursive=True))]  # noqa: PTH207


def _is_file(path: Path) -> bool:
    """Tell files from all else. Raises OSError for a link that leads nowhere."""
    if path.is_symlink():
        path.stat()
    return path.is_file()


def _kept(source: BinaryIO, path: Path) -> Path:
    """A file with all of a source that can be read only once."""
    path.parent.mkdir()
    with path.open("wb") as file:
        shutil.copyfileobj(source, file)
    return path


def _is_data(path: PurePath) -> bool:
    """Tell the parts of a data set from what Spark writes beside them: _SUCCESS, .part.crc."""
    return not any(part[0] in "._" for part in path.parts) and has_known_name(path)
