"""The files of a nightly run: what one step leaves for the next, one run of a tenant at a time."""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from recsys.core.domain import Item
from recsys.core.errors import NotFound
from recsys.core.ports import ItemStore
from recsys.core.shop_time import ShopTime
from recsys.files import remove_drafts, write_whole
from recsys.stores.manifest import FORMAT, LEAST_READER
from recsys.stores.model_files import is_version
from recsys.stores.run_events import damage_named, open_events
from recsys.stores.run_files import CATALOGUE, EVENT_SNAPSHOT, EVENTS
from recsys.training.content.item_content import CONTENT_TYPES, ItemContent, content_table
from spark_jobs.event_snapshot.files import SnapshotFolder

_CATALOGUE_SCHEMA = pa.schema(
    [("item_id", pa.string()), ("available", pa.bool_()), *CONTENT_TYPES.items()]
)
# As Python objects a few hundred bytes each: only so many of them at a time.
_ITEMS_PER_BATCH = 10_000


@dataclass(frozen=True)
class Window:
    """The events of a run: start_ms <= timestamp < end_ms, UTC milliseconds."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class Snapshot:
    """Result of the read step.

    Attributes:
        read_at_ms: the events received before this moment are there, and no others.
        shop_time: what ages are measured by.
        least_reader: the oldest format, see `recsys.stores.manifest`, whose releases read this.
        fingerprint: equal for equal events and catalogue, in whatever order they were read.
    """

    tenant: str
    window: Window
    read_at_ms: int
    shop_time: ShopTime
    events: int
    fingerprint: str
    least_reader: int = LEAST_READER


@dataclass(frozen=True)
class CatalogueSnapshot:
    """The items of the shop at the time of reading, a row an item, see `_CATALOGUE_SCHEMA`."""

    table: pa.Table

    @cached_property
    def titles(self) -> dict[str, str]:
        """By item id, empty where an item has none."""
        return self._by_id(self.table["title"].fill_null(""))

    @cached_property
    def available(self) -> dict[str, bool]:
        """By item id."""
        return self._by_id(self.table["available"])

    def content_of(self, item_ids: Iterable[str], as_of_ms: int) -> ItemContent:
        """The content of items in this order, null where the catalogue does not have one."""
        wanted = pa.array(item_ids, pa.string())
        rows = pc.index_in(wanted, self.table["item_id"])
        return ItemContent.from_table(self.table.take(rows), as_of_ms)

    def _by_id(self, column: pa.ChunkedArray) -> dict[str, Any]:
        ids = self.table["item_id"].to_pylist()
        return dict(zip(ids, column.to_pylist(), strict=True))


class RunFolder:
    """Named files below one folder; each read names the step to run when a file is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._scratch = path / "scratch"
        self.events = path / EVENTS
        self.event_snapshot = SnapshotFolder(path / EVENT_SNAPSHOT)
        self._catalogue = path / CATALOGUE
        self._snapshot = path / "snapshot.json"
        self._candidate = path / "candidate"

    def exists(self) -> bool:
        return self._path.exists()

    def begin(self) -> None:
        """Make the folder, without what runs that were killed have left; the caller has the lock.

        Raises:
            OSError: naming what cannot be used.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        remove_drafts(self._path)
        for file in (self._snapshot, self._catalogue, self._candidate):
            if file.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))

    def check_for(self, *, train: bool, evaluate: bool) -> None:
        """Check that what the first of these steps begins with is there.

        Raises:
            NotFound: naming the step that must run first.
        """
        if train or evaluate:
            self._check_events(self.snapshot())
        if not train:
            self.candidate()

    def _check_events(self, snapshot: Snapshot) -> None:
        """A file that is missing would be a shop of fewer events, and nobody would notice."""
        with damage_named(self.events):
            rows = open_events(self.events).count_rows()
        if rows != snapshot.events:
            raise NotFound(
                f"{self.events} has {rows:,} events of the {snapshot.events:,} that were read:"
                " run `recsys nightly read` first"
            )

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder for the time of the block; what a killed run left there goes as well."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        try:
            yield self._scratch
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def forget_snapshot(self) -> None:
        """Let no later step go on with files that are being replaced: reading may be cut short."""
        self._snapshot.unlink(missing_ok=True)

    def save_snapshot(self, snapshot: Snapshot) -> None:
        write_whole(self._snapshot, TypeAdapter(Snapshot).dump_json(snapshot, indent=2))

    def snapshot(self) -> Snapshot:
        """Raises NotFound when the read step has not run, or another release of it has."""
        text = _read(self._snapshot, "read")
        try:
            snapshot = TypeAdapter(Snapshot).validate_json(text)
        except ValidationError as error:
            raise NotFound(
                f"{self._snapshot} is damaged or of another release: run `recsys nightly read`"
                " first"
            ) from error
        if snapshot.least_reader > FORMAT:
            raise NotFound(
                f"{self._snapshot} is of a later release: run `recsys nightly read` first"
            )
        return snapshot

    def save_catalogue(self, items: ItemStore, tenant: str) -> None:
        file = pa.BufferOutputStream()
        scan = iter(items.scan(tenant))
        with pq.ParquetWriter(file, _CATALOGUE_SCHEMA) as writer:
            while batch := list(islice(scan, _ITEMS_PER_BATCH)):
                writer.write_table(_catalogue_table(batch))
        write_whole(self._catalogue, file.getvalue().to_pybytes())

    def catalogue(self) -> CatalogueSnapshot:
        """Raises NotFound when the read step has not run, or another release of it has."""
        _read(self._catalogue, "read")
        try:
            table = pq.read_table(self._catalogue)
        except (pa.ArrowInvalid, OSError) as error:
            raise NotFound(
                f"{self._catalogue} is damaged: run `recsys nightly read` first"
            ) from error
        # What a later release has added is left out.
        known = [name for name in _CATALOGUE_SCHEMA.names if name in table.column_names]
        table = table.select(known)
        if table.schema != _CATALOGUE_SCHEMA:
            raise NotFound(
                f"{self._catalogue} is of another release: run `recsys nightly read` first"
            )
        return CatalogueSnapshot(table)

    def catalogue_bytes(self) -> bytes:
        return _read(self._catalogue, "read")

    def save_candidate(self, version: str) -> None:
        write_whole(self._candidate, version)

    def candidate(self) -> str:
        """The version that the train step made. Raises NotFound before the first, or if damaged."""
        version = _read(self._candidate, "train").decode(errors="replace").strip()
        if not is_version(version):
            raise NotFound(f"{self._candidate} is damaged: run `recsys nightly train` first")
        return version

    def last_candidate(self) -> str | None:
        """The version that the train step made last, whenever that was; None before the first."""
        try:
            return self.candidate()
        except NotFound:
            return None


def _catalogue_table(items: list[Item]) -> pa.Table:
    ids, available = [i.item_id for i in items], [i.can_be_bought for i in items]
    content = content_table(items)
    return pa.table([ids, available, *content.columns], schema=_CATALOGUE_SCHEMA)


def _read(path: Path, step: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{path} is missing: run `recsys nightly {step}` first") from error
