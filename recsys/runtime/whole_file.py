"""Files that are there whole or not at all."""

import os
from pathlib import Path

from recsys.runtime.file_errors import errors_name


def write_whole(path: Path, text: str, mode: int = 0o666) -> None:
    """Put `text` at `path`: a reader sees the old file or the new one. Durable on return.

    Args:
        mode: of a new file, less the process's umask.

    Raises:
        OSError: naming `path`; the old file is as it was, and nothing is left beside it.
    """
    # By process, so that two that write the same file do not write into each other's draft.
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    with errors_name(path):
        draft.unlink(missing_ok=True)
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The new name is on the disk only when the folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
