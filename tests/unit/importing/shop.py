"""Files taken in as the commands do, with the stores in memory."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from recsys.config.shop import load_shop
from recsys.core.domain import Event, Item
from recsys.evaluation.files.event_file import FileOptions, LoadedEvents, read_event_files
from recsys.importing.bulk_writer import Tally
from recsys.importing.event_columns import EventOptions
from recsys.importing.importer import Importer, ImportOutcome
from recsys.importing.plan import ImportPlan, Reading, plan_events
from recsys.importing.presets import Preset
from recsys.importing.read_options import ReadOptions
from recsys.stores.memory.interactions import MemoryInteractionStore

TENANT = "shop"
SHOP = load_shop()
# 2024-01-31T12:30:15Z.
NOW_MS = 1_706_704_215_000


class Ledger:
    """An import ledger in memory."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], dict[str, Any]] = {}

    def find(self, tenant: str, digest: str) -> dict[str, Any] | None:
        return self.entries.get((tenant, digest))

    def record(self, tenant: str, digest: str, entry: dict[str, Any]) -> None:
        self.entries[tenant, digest] = entry

    def forget(self, tenant: str, digest: str) -> bool:
        return self.entries.pop((tenant, digest), None) is not None


def without_create_times(items: Iterable[Item]) -> list[Item]:
    """Items as files say them, without the moment at which they were imported."""
    return [replace(item, created_ms=None) for item in items]


def write(folder: Path, content: str | bytes, name: str = "events.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def run(plan: ImportPlan[Any], ledger: Ledger | None = None, **options: Any) -> ImportOutcome:
    importer = Importer(TENANT, ledger or Ledger(), plan.path.parent, **options)
    return importer.run(plan, Tally(), lambda _: None)


class Events:
    """What an import has stored."""

    def __init__(self, outcome: ImportOutcome, events: list[Event]) -> None:
        self.outcome, self.tally, self.events = outcome, outcome.tally, events

    def pairs(self) -> list[tuple[str, str]]:
        return [(event.user_id, event.item_id) for event in self.events]

    def reasons(self) -> dict[str, int]:
        return dict(self.tally.rejected)


def take_in(
    path: Path, how: ReadOptions | None = None, preset: Preset | None = None, **options: Any
) -> Events:
    """Import events; they are in the order of their times."""
    store = MemoryInteractionStore()
    reading = Reading(path, how or ReadOptions(), EventOptions(**options), preset=preset)
    outcome = run(plan_events(reading, TENANT, store, SHOP.event_types, NOW_MS))
    stored = [each.event for each in store._events[TENANT].values()]
    return Events(outcome, sorted(stored, key=lambda event: (event.timestamp_ms, event.user_id)))


def evaluated(
    path: Path, how: ReadOptions | None = None, max_rejected: float = 0.0, **options: Any
) -> LoadedEvents:
    """Read events as `recsys evaluate` does."""
    files = FileOptions(how or ReadOptions(), EventOptions(**options), max_rejected)
    return read_event_files([path], SHOP, NOW_MS, files)
