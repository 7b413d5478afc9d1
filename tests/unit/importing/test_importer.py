"""An import end to end, with the stores in memory."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from recsys.core.domain import Event, Item
from recsys.core.errors import ConfigurationError, Unavailable
from recsys.core.event_types import EventType
from recsys.importing.bulk_writer import Tally
from recsys.importing.event_columns import EventOptions
from recsys.importing.importer import Importer, ImportOutcome
from recsys.importing.plan import BulkEventStore, Reading, plan_events, plan_items
from recsys.importing.presets import Preset
from recsys.importing.undo import undo
from recsys.stores.memory.interactions import MemoryInteractionStore
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.memory.live_catalogue import MemoryLiveCatalogue
from tests.unit.importing.shop import Ledger, without_create_times

TENANT = "shop"
TYPES = {"view": EventType(0.2)}
NOW_MS = 1_400_000_000_000
HEADER = "event_id,user_id,item_id,event_type,timestamp\n"


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def rows(count: int) -> str:
    return "".join(f"e{n},u{n % 3},i1,view,{1_300_000_000 + n}\n" for n in range(count))


def write(folder: Path, content: str, name: str = "events.csv") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def run(
    path: Path,
    store: BulkEventStore,
    ledger: Ledger,
    *,
    again: bool = False,
    tally: Tally | None = None,
) -> ImportOutcome:
    plan = plan_events(Reading(path), TENANT, store, TYPES, NOW_MS)
    importer = Importer(TENANT, ledger, path.parent, again=again)
    return importer.run(plan, tally or Tally(), lambda _: None)


def test_good_rows_land_and_bad_ones_are_set_aside_with_line_and_reason(
    tmp_path: Path, ledger: Ledger
) -> None:
    bad = "x,u,i,view,soon\ny,u,i,dance,1300000000\nz,u,i,view,1500000000\nshort\n"
    path = write(tmp_path, HEADER + rows(2) + bad + "last,u9,i,view,1300000000\n")
    store = MemoryInteractionStore()

    outcome = run(path, store, ledger)

    assert (outcome.tally.stored, outcome.tally.rejected.total()) == (3, 4)
    assert [event.event_id for event in store.history(TENANT, "u9")] == ["last"]
    rejects = [json.loads(line) for line in outcome.reject_path.read_text().splitlines()]
    assert {(reject["line"], reject["reason"].partition(" ")[0]) for reject in rejects} == {
        (4, "timestamp:"),
        (5, "event_type:"),
        (6, "timestamp:"),
        (7, "has"),
    }
    assert rejects[-1]["file"] == str(path)
    assert {reject["row"]["event_id"] for reject in rejects if reject["line"] < 7} == set("xyz")


def test_a_rerun_leaves_a_finished_file_alone(tmp_path: Path, ledger: Ledger) -> None:
    path = write(tmp_path, HEADER + rows(5))
    run(path, MemoryInteractionStore(), ledger)
    untouched = MemoryInteractionStore()

    outcome = run(path, untouched, ledger)

    assert outcome.earlier is not None
    assert outcome.earlier["stored"] == 5
    assert untouched.history(TENANT, "u0") == []


def test_another_content_another_mapping_and_again_are_imported(
    tmp_path: Path, ledger: Ledger
) -> None:
    store = MemoryInteractionStore()
    path = write(tmp_path, HEADER + rows(5))
    run(path, store, ledger)

    again = run(path, store, ledger, again=True).tally
    assert (again.stored, again.duplicate) == (0, 5)
    write(tmp_path, HEADER + rows(6))
    grown = run(path, store, ledger).tally
    assert (grown.stored, grown.duplicate) == (1, 5)
    assert sum(len(store.history(TENANT, f"u{n}")) for n in range(3)) == 6


def test_a_file_of_bad_rows_only_fails_and_may_be_tried_again(
    tmp_path: Path, ledger: Ledger
) -> None:
    path = write(tmp_path, HEADER + "x,u,i,dance,1\n")

    assert run(path, MemoryInteractionStore(), ledger).has_too_many_rejected
    assert run(path, MemoryInteractionStore(), ledger).earlier is None


def test_an_event_id_counts_once_across_files(tmp_path: Path, ledger: Ledger) -> None:
    store = MemoryInteractionStore()
    run(write(tmp_path, HEADER + "e1,ann,i1,view,1300000000\n"), store, ledger)
    later = "e1,ann,i1,view,1300000099\ne1,bob,i1,view,1300000000\ne2,ann,i2,view,1300000100\nx\n"

    outcome = run(write(tmp_path, HEADER + later, "later.csv"), store, ledger)

    tally = outcome.tally
    assert (tally.stored, tally.duplicate, tally.rejected.total()) == (1, 2, 1)
    assert [event.event_id for event in store.history(TENANT, "ann")] == ["e2", "e1"]
    assert store.history(TENANT, "bob") == []


def test_a_file_of_known_events_and_bad_rows_is_no_failure(tmp_path: Path, ledger: Ledger) -> None:
    store = MemoryInteractionStore()
    run(write(tmp_path, HEADER + rows(3)), store, ledger)

    assert not run(
        write(tmp_path, HEADER + rows(3) + "short\n"), store, ledger
    ).has_too_many_rejected


def test_rows_without_an_id_column_are_all_taken_again(tmp_path: Path, ledger: Ledger) -> None:
    store = MemoryInteractionStore()
    path = write(tmp_path, "user_id,item_id,event_type,timestamp\nann,i1,view,1300000000\n")
    run(path, store, ledger)

    again = run(path, store, ledger, again=True).tally

    assert (again.stored, again.duplicate) == (1, 0)
    assert len(store.history(TENANT, "ann")) == 1


def test_an_empty_file_is_no_failure(tmp_path: Path, ledger: Ledger) -> None:
    outcome = run(write(tmp_path, HEADER), MemoryInteractionStore(), ledger)

    assert (outcome.tally.stored, outcome.is_finished) == (0, True)
    assert not outcome.reject_path.exists()


def test_rejects_of_an_earlier_run_do_not_stay(tmp_path: Path, ledger: Ledger) -> None:
    path = write(tmp_path, HEADER + "x,u,i,dance,1\n" + rows(1))
    assert run(path, MemoryInteractionStore(), ledger).reject_path.exists()
    write(tmp_path, HEADER + rows(1))

    assert not run(path, MemoryInteractionStore(), ledger).reject_path.exists()


class FailingStore:
    """Takes some batches and then is gone."""

    def __init__(self, batches: int, error: BaseException) -> None:
        self._batches = batches
        self._error = error

    def put_many(self, tenant: str, events: Iterable[Event], *, ids_given: bool) -> int:
        self._batches -= 1
        if self._batches < 0:
            raise self._error
        return len(list(events))


@pytest.mark.parametrize("error", [Unavailable("hbase", "gone"), KeyboardInterrupt()])
def test_an_import_cut_short_is_not_recorded_and_counts_what_stored(
    tmp_path: Path, ledger: Ledger, error: BaseException
) -> None:
    path = write(tmp_path, HEADER + rows(40_000))
    tally = Tally()

    with pytest.raises(type(error)):
        run(path, FailingStore(2, error), ledger, tally=tally)

    assert tally.stored in (5000, 10_000)
    assert ledger.entries == {}
    assert run(path, MemoryInteractionStore(), ledger).tally.stored == 40_000


def test_rejects_of_items_leave_those_of_events_alone(tmp_path: Path, ledger: Ledger) -> None:
    path = write(tmp_path, HEADER + "x,u,i,dance,1\n" + rows(1))
    events = run(path, MemoryInteractionStore(), ledger)

    plan = plan_items(Reading(path), TENANT, MemoryItemStore(), MemoryLiveCatalogue())
    Importer(TENANT, ledger, tmp_path).run(plan, Tally(), lambda _: None)

    assert events.reject_path.exists()


def test_progress_reaches_the_end(tmp_path: Path, ledger: Ledger) -> None:
    path = write(tmp_path, HEADER + rows(12_000))
    plan = plan_events(Reading(path), TENANT, MemoryInteractionStore(), TYPES, NOW_MS)
    positions: list[int] = []

    Importer(TENANT, ledger, tmp_path).run(plan, Tally(), positions.append)

    assert positions == sorted(positions)
    assert positions[-1] == path.stat().st_size


def test_items_land(tmp_path: Path, ledger: Ledger) -> None:
    path = write(tmp_path, '{"sku": "a", "name": "A"}\n{"name": "nameless"}\n', "items.jsonl")
    store = MemoryItemStore()

    plan = plan_items(Reading(path), TENANT, store, MemoryLiveCatalogue())
    outcome = Importer(TENANT, ledger, tmp_path).run(plan, Tally(), lambda _: None)

    assert (outcome.tally.stored, outcome.tally.rejected.total()) == (1, 1)
    assert [item.title for item in store.scan(TENANT)] == ["A"]


def test_the_bytes_of_last_monday_s_catalogue_are_imported_again(
    tmp_path: Path, ledger: Ledger
) -> None:
    path = write(tmp_path, '{"sku": "a", "name": "A", "price": 5}\n', "items.jsonl")
    store, live = MemoryItemStore(), MemoryLiveCatalogue()

    for moved_on in (Item("a", title="Changed by the API"), None):
        imported = Importer(TENANT, ledger, tmp_path).run(
            plan_items(Reading(path), TENANT, store, live), Tally(), lambda _: None
        )
        assert (imported.tally.stored, imported.earlier) == (1, None)
        assert without_create_times(store.scan(TENANT)) == [Item("a", title="A", price=5.0)]
        assert live.rows(TENANT)["a"][:3] == ("A", 5.0, True)
        if moved_on:
            store.put(TENANT, [moved_on])


def test_availability_and_title_of_a_file_reach_the_live_catalogue(
    tmp_path: Path, ledger: Ledger
) -> None:
    store, live = MemoryItemStore(), MemoryLiveCatalogue()
    for name, available in (("old", True), ("new", False)):
        content = json.dumps({"sku": "a", "name": name, "available": available})
        plan = plan_items(Reading(write(tmp_path, content, "items.jsonl")), TENANT, store, live)
        Importer(TENANT, ledger, tmp_path).run(plan, Tally(), lambda _: None)
        assert live.rows(TENANT)["a"][:3] == (name, None, available)


def test_a_preset_refuses_files_of_another_layout(tmp_path: Path) -> None:
    reading = Reading(write(tmp_path, HEADER), preset=Preset.ONLINE_RETAIL)

    with pytest.raises(ConfigurationError, match=r"it has no column InvoiceNo, .*event_id"):
        plan_items(reading, TENANT, MemoryItemStore(), MemoryLiveCatalogue())


def test_a_preset_takes_no_mapping(tmp_path: Path) -> None:
    reading = Reading(
        write(tmp_path, HEADER), events=EventOptions(("a=b",)), preset=Preset.ONLINE_RETAIL
    )

    with pytest.raises(ConfigurationError, match="leave --mapping out"):
        plan_events(reading, TENANT, MemoryInteractionStore(), TYPES, NOW_MS)


def undone(path: Path, store: MemoryInteractionStore, ledger: Ledger) -> tuple[Tally, bool]:
    plan, tally = plan_events(Reading(path), TENANT, store, TYPES, NOW_MS), Tally()
    return tally, undo(plan, TENANT, store, ledger, tally, lambda _: None)


def test_an_undone_import_is_gone_and_can_be_done_again(tmp_path: Path, ledger: Ledger) -> None:
    path = write(tmp_path, HEADER + rows(5) + "x,u,i,view,soon\n")
    store = MemoryInteractionStore()
    store.append(TENANT, [Event("e1", "u1", "i1", "view", 1_300_000_001_000)], NOW_MS)
    first = run(path, store, ledger)
    assert (first.tally.stored, first.tally.duplicate) == (4, 1)
    kept = first.reject_path.read_text()

    tally, was_known = undone(path, store, ledger)

    assert was_known
    assert (tally.read, tally.stored, tally.duplicate) == (6, 4, 1)
    assert [event.event_id for event in store.history(TENANT, "u1")] == ["e1"]
    assert store.history(TENANT, "u0") == []
    assert first.reject_path.read_text() == kept
    again, was_known = undone(path, store, ledger)
    assert (again.stored, again.duplicate, was_known) == (0, 5, False)
    assert run(path, store, ledger).tally.stored == 4


def test_of_a_damaged_file_what_was_imported_is_undone(tmp_path: Path, ledger: Ledger) -> None:
    path = tmp_path / "events.csv.gz"
    whole = gzip.compress((HEADER + rows(200_000)).encode())
    path.write_bytes(whole[: len(whole) * 9 // 10])
    store = MemoryInteractionStore()
    outcome = run(path, store, ledger)
    assert outcome.ended
    assert outcome.tally.stored > 0

    tally, was_known = undone(path, store, ledger)

    assert not was_known
    assert tally.stored == outcome.tally.stored
    assert store.history(TENANT, "u0") == []
