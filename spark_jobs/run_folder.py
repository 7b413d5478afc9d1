"""The files of a nightly run: what one step leaves for the next, one run of a tenant at a time."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from recsys.core.errors import NotFound
from recsys.core.ports import ItemStore
from recsys.core.shop_time import ShopTime
from recsys.files import write_whole
from recsys.stores.run_files import CATALOGUE, EVENTS


@dataclass(frozen=True)
class Window:
    """The events of a run: start_ms <= timestamp < end_ms, UTC milliseconds."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Snapshot:
    """What the read step found.

    Attributes:
        read_at_ms: the events received before this moment are there, and no others.
        shop_time: what ages are measured by.
        fingerprint: equal for equal events and catalogue, in whatever order they were read.
    """

    tenant: str
    window: Window
    read_at_ms: int
    shop_time: ShopTime
    events: int
    fingerprint: str


@dataclass(frozen=True)
class Catalogue:
    """The items of the shop at the time of reading, by id."""

    titles: dict[str, str]
    available: dict[str, bool]


class RunFolder:
    """Named files below one folder; each read names the step to run when a file is missing."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._scratch = path / "scratch"
        self.events = path / EVENTS
        self._catalogue = path / CATALOGUE
        self._snapshot = path / "snapshot.json"
        self._candidate = path / "candidate"

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder for the time of the block; what a killed run left there goes as well."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        try:
            yield self._scratch
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        write_whole(self._snapshot, TypeAdapter(Snapshot).dump_json(snapshot, indent=2))

    def snapshot(self) -> Snapshot:
        """Raises NotFound when the read step has not run, or another release of it has."""
        text = _read(self._snapshot, "read")
        try:
            return TypeAdapter(Snapshot).validate_json(text)
        except ValidationError as error:
            raise NotFound(
                f"{self._snapshot} is damaged or of another release: run `recsys nightly read`"
                " first"
            ) from error

    def save_catalogue(self, items: ItemStore, tenant: str) -> None:
        found = [(item.item_id, item.title or "", item.available) for item in items.scan(tenant)]
        columns = list(zip(*found, strict=True)) or [(), (), ()]
        types = (pa.string(), pa.string(), pa.bool_())
        arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
        table = pa.BufferOutputStream()
        pq.write_table(pa.table(arrays, ["item_id", "title", "available"]), table)
        write_whole(self._catalogue, table.getvalue().to_pybytes())

    def catalogue(self) -> Catalogue:
        _read(self._catalogue, "read")
        columns = pq.read_table(self._catalogue).to_pydict()
        ids = columns["item_id"]
        return Catalogue(
            dict(zip(ids, columns["title"], strict=True)),
            dict(zip(ids, columns["available"], strict=True)),
        )

    def catalogue_bytes(self) -> bytes:
        return _read(self._catalogue, "read")

    def save_candidate(self, version: str) -> None:
        write_whole(self._candidate, version)

    def candidate(self) -> str:
        """The version that the train step made."""
        return _read(self._candidate, "train").decode()


def _read(path: Path, step: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{path} is missing: run `recsys nightly {step}` first") from error
