"""Files in object stores, which are fetched before they are read."""

import re
import shutil
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow import fs

from recsys.core.errors import ConfigurationError
from recsys.core.wording import pluralize

_URL = re.compile(r"[a-z][a-z0-9+.-]+://")


def is_remote(name: str) -> bool:
    """Tell whether a name is a URL."""
    return _URL.match(name) is not None


def fetch(
    url: str,
    folder: Path,
    is_data: Callable[[PurePosixPath], bool],
    say: Callable[[str], None] = lambda _: None,
) -> list[Path]:
    """Copy what a URL names to an empty folder: a file, all data files of a folder, or a pattern's.

    They are read twice, first for what they are known by: hence not from afar.

    Args:
        url: `s3://`, `gs://`, `abfss://` ... as `pyarrow.fs.FileSystem.from_uri` takes it; `*` in
            the path stands for any characters but `/`.
        is_data: whether a file of a folder is one, by its path in it.

    Raises:
        ConfigurationError: there is nothing there, or it cannot be had.
    """
    address, question, options = url.partition("?")
    start = address.find("*")
    base = address if start < 0 else address[: address.rindex("/", 0, start)]
    try:
        store, root = fs.FileSystem.from_uri(base + question + options)
        pattern = None if start < 0 else root + address[len(base) :]
        found = sorted(_found(store, root, pattern, is_data), key=lambda each: each.path)
        size = sum(each.size for each in found)
        say(f"fetching {pluralize(len(found), 'file')}, {size / 1e6:,.1f} MB, from {base}")
        return [_copied(store, each.path, folder) for each in found]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ConfigurationError(f"{url}: {error}") from error


def _found(
    store: fs.FileSystem,
    root: str,
    pattern: str | None,
    is_data: Callable[[PurePosixPath], bool],
) -> Iterator[fs.FileInfo]:
    here = store.get_file_info(root)
    if here.type is fs.FileType.File and pattern is None:
        yield here
        return
    for each in store.get_file_info(fs.FileSelector(root, recursive=True)):
        if each.type is not fs.FileType.File:
            continue
        if pattern is None:
            if is_data(PurePosixPath(each.path).relative_to(root)):
                yield each
        elif _matches(each.path, pattern):
            yield each


def _matches(path: str, pattern: str) -> bool:
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _copied(store: fs.FileSystem, path: str, folder: Path) -> Path:
    """The file under its whole path, whose folders may name columns."""
    target = folder / path.lstrip("/")
    if not target.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{path!r} leads out of the store")
    target.parent.mkdir(parents=True, exist_ok=True)
    with store.open_input_stream(path, compression=None) as source, target.open("wb") as file:
        shutil.copyfileobj(source, file, 2**20)
    return target
