"""The folder of the snapshot: files of rows, and one that says which of them it consists of.

Files are written beside those of the last night, then the one that names them, whole; what it does
not name is removed. So a run that dies leaves the last night's snapshot as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from recsys.files import write_whole
from spark_jobs.event_snapshot.part import Part, checksum

# Raised when rows get another column: one of another format is not gone on from.
FORMAT = 2
_INDEX = "snapshot.json"


class Unusable(Exception):
    """The snapshot of the last night cannot be gone on from; its text says why, after "because"."""


@dataclass(frozen=True)
class EventSnapshot:
    """All events of a tenant that were received before a moment.

    Attributes:
        keeper: names this folder in the table's `Witness`.
        mark: what the witness says if the table is still the one that was read.
        read_at_ms: the events received before this moment are there, and no others.
    """

    tenant: str
    keeper: str
    mark: str
    read_at_ms: int
    parts: tuple[Part, ...]
    format: int = FORMAT

    @property
    def events(self) -> int:
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True)
class _Version:
    """What every format has."""

    format: int


class SnapshotFolder:
    """The snapshot of one tenant."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> EventSnapshot:
        """The snapshot as it was committed; whether its files are whole, `check_files` says.

        Raises:
            Unusable: there is none, or none that this release can read.
        """
        try:
            text = (self._path / _INDEX).read_bytes()
        except FileNotFoundError as error:
            raise Unusable("there is no snapshot yet") from error
        try:
            found = TypeAdapter(_Version).validate_json(text).format
            if found != FORMAT:
                release = "a newer" if found > FORMAT else "an earlier"
                raise Unusable(
                    f"the snapshot has format {found}, of {release} release; this one has {FORMAT}"
                )
            return TypeAdapter(EventSnapshot).validate_json(text)
        except ValidationError as error:
            raise Unusable(f"{self._path / _INDEX} is damaged") from error

    def check_files(self, snapshot: EventSnapshot) -> None:
        """Raises Unusable, naming the first file that is not as it was written."""
        for part in snapshot.parts:
            path = self.path_of(part)
            if not path.is_file():
                raise Unusable(f"{path} is missing")
            if path.stat().st_size != part.size_bytes or checksum(path) != part.checksum:
                raise Unusable(f"{path} is damaged")

    def commit(self, snapshot: EventSnapshot) -> None:
        """Make these parts the snapshot, and remove the files of the one before."""
        write_whole(self._path / _INDEX, TypeAdapter(EventSnapshot).dump_json(snapshot, indent=2))
        self._remove_others(snapshot.parts)

    def remove_leftovers(self) -> None:
        """Remove what the snapshot does not name: files of runs that did not come to their end.

        Left until one does, those of a run that a full disk ended would end all that follow. Where
        the snapshot cannot be read all go, since all is read again.
        """
        try:
            parts = self.load().parts
        except Unusable:
            parts = ()
        self._remove_others(parts)

    def _remove_others(self, parts: Sequence[Part]) -> None:
        kept = {_INDEX, *(part.file for part in parts)}
        for path in self._path.glob("*"):
            if path.name not in kept:
                path.unlink()

    def new_paths(self, count: int) -> list[Path]:
        """Where that many new parts go; no file has had these names before."""
        self._path.mkdir(exist_ok=True)
        made = uuid4().hex[:12]
        return [self._path / f"{number:04}-{made}.parquet" for number in range(count)]

    def path_of(self, part: Part) -> Path:
        return self._path / part.file

    def paths(self, snapshot: EventSnapshot) -> Sequence[Path]:
        return [self.path_of(part) for part in snapshot.parts]
