"""The events that the read step of a run wrote, as a data set of files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from recsys.core.errors import NotFound


def open_events(events: Path) -> ds.Dataset:
    """Open the files; nothing but a footer is read.

    Raises:
        NotFound: there are none, or one is damaged.
    """
    if not events.exists():
        raise NotFound(f"{events} is missing: run `recsys nightly read` first")
    with damage_named(events):
        return ds.dataset(events, format="parquet")


@contextmanager
def damage_named(events: Path) -> Iterator[None]:
    """Raise NotFound, with the step that writes them again, for files that the disk has damaged."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        # With a number it is the system's, which says what is wrong with the disk itself.
        if isinstance(error, OSError) and error.errno:
            raise
        raise damaged(events) from error


def damaged(file: Path | str) -> NotFound:
    return NotFound(f"{file} is damaged: run `recsys nightly read` first")
