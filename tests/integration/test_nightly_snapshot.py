"""A night reads from HBase what came since the last one, and has what a full read has."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from infra.local.stack import Stack
from recsys.config.shop import load_shop
from recsys.core.domain import Event
from recsys.core.errors import NotSetUp
from recsys.stores.hbase import interactions
from recsys.stores.hbase.interaction_scan import ChangedInteractions
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool
from recsys.stores.hbase.witness import Witness
from recsys.stores.memory.recent import MemoryRecentBehaviour
from recsys.stores.memory.users import MemoryUserStore
from services.ingest.merge_users import UserMerger
from services.ingest.users import Users
from spark_jobs.event_snapshot import update
from spark_jobs.event_snapshot.files import EventSnapshot, SnapshotFolder
from spark_jobs.nightly.plan import Step
from spark_jobs.nightly.run_folder import RunFolder
from tests.eventually import eventually
from tests.integration.conftest import Seed
from tests.integration.nightly_shop import Nightly, a_nightly, an_event
from tests.redis_fixture import NIGHTLY_DATABASE, empty_database

pytestmark = [pytest.mark.hbase, pytest.mark.redis]
TENANT = "snapshots"
ELSEWHERE = "elsewhere"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Nights:
    """Read steps of one tenant, and what comes in between."""

    def __init__(self, nightly: Nightly, pool: HBasePool) -> None:
        self.nightly = nightly
        self.pool = pool
        self.store = HBaseInteractionStore(pool)

    @property
    def _folder(self) -> RunFolder:
        return RunFolder(self.nightly.settings.run_folder(TENANT))

    @property
    def snapshot(self) -> EventSnapshot:
        return self._folder.event_snapshot.load()

    @property
    def files(self) -> list[Path]:
        """All files beside the one that names those that count."""
        [path, *_] = self._folder.event_snapshot.paths(self.snapshot)
        return sorted(each for each in path.parent.iterdir() if each.suffix != ".json")

    def read(self, **changes: object) -> str:
        """Run the read step; what it said about how it read."""
        self.nightly.run([Step.READ], **changes)
        return next(line for line in self.nightly.said if re.search("in full|snapshot of", line))

    def rows(self) -> list[tuple]:
        """What the later steps of the run have."""
        return sorted((tuple(row.values()) for row in self._events()), key=repr)

    def items(self, user_id: str) -> list[str]:
        return sorted(row["item_id"] for row in self._events() if row["user_id"] == user_id)

    def _events(self) -> list[dict]:
        return pq.read_table(self._folder.events).to_pylist()

    def receive(self, *events: Event, received_ms: int | None = None) -> None:
        self.store.append(TENANT, events, received_ms or now_ms())

    def bring(self, *events: Event) -> None:
        self.store.put_many(TENANT, events, ids_given=True)

    def merge(self, source: str, target: str) -> None:
        types = load_shop().event_types
        recent = MemoryRecentBehaviour(lambda _: types)
        UserMerger(
            self.store, recent, Users(MemoryUserStore(), now_ms), lambda _: types, now_ms
        ).merge(TENANT, source, target)

    def erase(self, user_id: str) -> None:
        self.store.erase(TENANT, self.store.history(TENANT, user_id), now_ms())


@pytest.fixture(scope="module")
def nights(
    store_stack: Stack,
    one_spark: None,
    hbase_pool: HBasePool,
    seed: Seed,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Nights]:
    """All tests' nights follow each other; the first is over, and so is the hour read twice."""
    bought = [an_event(user_id, f"a{item}") for user_id in ("ann", "bob") for item in range(3)]
    seed(TENANT, bought[:3], [])
    seed(ELSEWHERE, bought[:3], [])
    settings = store_stack.settings
    redis_url, models = empty_database(store_stack, NIGHTLY_DATABASE), tmp_path_factory.mktemp("h")
    nightly = a_nightly(settings.hbase_thrift, redis_url, models, TENANT, settings.hbase_thrift2)
    nights = Nights(nightly, hbase_pool)
    nights.receive(*bought[3:])
    # Imports are stamped to the second.
    time.sleep(1.1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update, "OVERLAP_MS", 0)
        assert nights.read() == "6 events read in full, because there is no snapshot yet"
        yield nights


def test_only_what_came_since_is_read_and_nothing_is_missing(nights: Nights) -> None:
    before = len(nights.rows())
    again = an_event("bob", "a1")
    nights.receive(an_event("ann", "a7", days_ago=300), an_event("new", "a1", "view"), again)
    nights.bring(an_event("cid", "a8", days_ago=900), an_event("old", "a1"))
    nights.merge("bob", "ann")

    said = nights.read()

    assert said.startswith(f"snapshot of {before} events from 20")
    # Four that came, and three that moved.
    assert said.endswith(" UTC, 7 new or changed ones read")
    assert nights.items("bob") == []
    assert nights.items("ann") == ["a0", "a0", "a1", "a1", "a2", "a2", "a7"]
    incremental = nights.rows()
    in_full = f"{before + 4} events read in full, because --full asks for it"
    assert nights.read(full=True) == in_full
    assert nights.rows() == incremental


def test_an_erased_user_is_in_no_file_after_the_next_night(nights: Nights) -> None:
    nights.bring(an_event("erased", "a1"))
    nights.receive(an_event("erased", "a2"), an_event("back again", "a1"))
    nights.read()
    nights.erase("erased")
    nights.erase("back again")
    nights.receive(an_event("back again", "a9"))

    assert "snapshot of" in nights.read()

    assert nights.items("back again") == ["a9"]
    kept = pq.ParquetDataset([str(path) for path in nights.files]).read()["user_id"].to_pylist()
    assert "erased" not in kept
    assert kept.count("back again") == 1


def test_an_import_that_was_undone_is_in_no_night(nights: Nights) -> None:
    events = [an_event("undone", "a1"), an_event("half undone", "a1")]
    nights.bring(*events)
    nights.receive(an_event("half undone", "a9"))
    nights.read()
    assert nights.items("undone") == ["a1"]

    assert nights.store.remove_imported(TENANT, events, now_ms()) == 2

    assert "snapshot of" in nights.read()
    assert (nights.items("undone"), nights.items("half undone")) == ([], ["a9"])


def test_a_removal_that_cannot_be_recorded_does_not_happen(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights.receive(an_event("stays", "a1"))
    monkeypatch.setattr(interactions, "REMOVALS", "removals_of_old")

    with pytest.raises(NotSetUp, match="run recsys tables create"):
        nights.erase("stays")

    assert nights.store.history(TENANT, "stays")


def test_an_event_of_after_the_cutoff_waits_for_the_next_night(nights: Nights) -> None:
    received_ms = now_ms() + 2500
    nights.receive(an_event("early", "a7"), received_ms=received_ms)
    assert "snapshot of" in nights.read()
    assert nights.items("early") == []

    eventually(lambda: now_ms() > received_ms)
    assert "snapshot of" in nights.read()

    assert nights.items("early") == ["a7"]


def damage(nights: Nights, _: pytest.MonkeyPatch) -> None:
    path = nights.files[0]
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def restore_an_older_table(nights: Nights, _: pytest.MonkeyPatch) -> None:
    Witness(nights.pool, TENANT, nights.snapshot.keeper).write("that of another night")


def lack_the_records_of_removals(_: Nights, patch: pytest.MonkeyPatch) -> None:
    """As a tenant does whose tables were made by an older release."""
    patch.setattr(update, "REMOVALS", "removals_of_old")


def undo_a_large_import(nights: Nights, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(update, "_MAX_REMOVED_USERS", 1)
    events = [an_event(f"undone {n}", "a1") for n in range(2)]
    nights.bring(*events)
    assert nights.store.remove_imported(TENANT, events, now_ms()) == 2


def know_no_server_of_time_ranges(nights: Nights, patch: pytest.MonkeyPatch) -> None:
    changed = nights.nightly.settings.model_copy(update={"hbase_thrift2": None})
    patch.setattr(nights.nightly, "settings", changed)


def lose_the_server_of_time_ranges(nights: Nights, patch: pytest.MonkeyPatch) -> None:
    changed = nights.nightly.settings.model_copy(update={"hbase_thrift2": "127.0.0.1:1"})
    patch.setattr(nights.nightly, "settings", changed)


def read_ranges_of_time_elsewhere(nights: Nights, patch: pytest.MonkeyPatch) -> None:
    """Another tenant's table is to a night what another HBase is."""
    nights.nightly.run([Step.READ])
    patch.setattr(update, "ChangedInteractions", lambda at, _: ChangedInteractions(at, ELSEWHERE))


def read_ranges_of_time_where_the_table_is_not(nights: Nights, patch: pytest.MonkeyPatch) -> None:
    nights.nightly.run([Step.READ])
    patch.setattr(update, "ChangedInteractions", lambda at, _: ChangedInteractions(at, "nobody"))


@pytest.mark.parametrize(
    ("happening", "reason"),
    [
        (damage, ".* is damaged"),
        (restore_an_older_table, "HBase's table was emptied, restored or made anew"),
        (lack_the_records_of_removals, "it is not known what was removed: .*tables create"),
        (undo_a_large_import, r"events of \d+ users were removed"),
        (know_no_server_of_time_ranges, "HBASE_THRIFT2 names no server"),
        (lose_the_server_of_time_ranges, "HBASE_THRIFT2 at 127.0.0.1:1 does not work"),
        (
            read_ranges_of_time_elsewhere,
            "HBASE_THRIFT2 at .* is of another HBase than HBASE_THRIFT",
        ),
        (read_ranges_of_time_where_the_table_is_not, "HBASE_THRIFT2 at .* does not work"),
    ],
)
def test_what_cannot_be_gone_on_from_is_read_in_full(
    nights: Nights,
    monkeypatch: pytest.MonkeyPatch,
    happening: Callable[[Nights, pytest.MonkeyPatch], None],
    reason: str,
) -> None:
    happening(nights, monkeypatch)

    said = nights.read()

    assert re.match(rf"\d+ events read in full, because {reason}", said)


def die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_night_that_dies_leaves_the_last_ones_snapshot(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights.receive(an_event("survivor", "a7"))
    before, files = nights.snapshot, nights.files
    monkeypatch.setattr(Witness, "write", die)
    with pytest.raises(KeyboardInterrupt):
        nights.read()
    monkeypatch.undo()
    assert nights.snapshot == before
    assert len(nights.files) > len(files)

    assert "snapshot of" in nights.read()

    assert nights.items("survivor") == ["a7"]
    # What nobody names is gone.
    assert len(nights.files) == len(files)


def test_a_night_that_dies_when_hbase_is_marked_already_reads_in_full(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SnapshotFolder, "commit", die)
    with pytest.raises(KeyboardInterrupt):
        nights.read()
    monkeypatch.undo()

    assert "read in full, because HBase's table" in nights.read()
