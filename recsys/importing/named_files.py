"""Files that a command line names: by themselves, by a folder or pattern, or standard input."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import glob
from pathlib import Path

from recsys.core.errors import ConfigurationError
from recsys.importing.file_format import has_known_name

STANDARD_INPUT = "-"


@contextmanager
def named_files(names: Sequence[str]) -> Iterator[list[Path]]:
    """The files; standard input is kept in one for as long as this lasts, for it is read twice.

    Raises:
        ConfigurationError: a name names no file.
    """
    with tempfile.TemporaryDirectory(prefix="recsys-import-") as folder:
        yield [path for name in names for path in _files(name, Path(folder))]


def _files(name: str, folder: Path) -> list[Path]:
    if name == STANDARD_INPUT:
        path = folder / "standard-input"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        return [path]
    path = Path(name)
    if path.is_dir():
        found = [each for each in sorted(path.rglob("*")) if _is_data(each, path)]
    elif path.exists():
        found = [path]
    else:
        # Of pathlib's own, none takes an absolute pattern.
        matches = map(Path, sorted(glob(name, recursive=True)))  # noqa: PTH207
        found = [each for each in matches if each.is_file()]
    if not found:
        raise ConfigurationError(f"{name}: there is no such file")
    return found


def _is_data(path: Path, folder: Path) -> bool:
    """Tell the parts of a data set from what Spark writes beside them: _SUCCESS, .part.crc."""
    is_hidden = any(part[0] in "._" for part in path.relative_to(folder).parts)
    return path.is_file() and not is_hidden and has_known_name(path)
