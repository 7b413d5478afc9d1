"""Columns that are kept in the names of folders."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.importing.event_columns import EventOptions
from recsys.importing.named_files import named_files
from recsys.importing.plan import Reading, plan_events
from recsys.stores.memory.interactions import MemoryInteractionStore
from tests.unit.importing.shop import NOW_MS, SHOP, TENANT, Ledger, run, take_in, write
from tests.unit.importing.test_sources import read

ROWS = "user_id,item_id\nann,a\n"


def test_folders_are_columns_of_the_files_below(tmp_path: Path) -> None:
    folder = (
        tmp_path / "day=2024-01-30" / "type=add%20to%20cart" / "empty=__HIVE_DEFAULT_PARTITION__"
    )
    rows, _ = read(write(folder, ROWS))

    expected = {"user_id": "ann", "item_id": "a"}
    partition = {"day": "2024-01-30", "type": "add to cart", "empty": None}
    assert rows == [(2, expected | partition)]


def test_they_become_fields_like_any_column(tmp_path: Path) -> None:
    folder = tmp_path / "event_date=2024-01-30" / "event_type=view"
    table = pa.table({"user_id": ["ann"], "item_id": ["a"]})
    path = write(folder, b"", "part-0.parquet")
    pq.write_table(table, path)

    found = take_in(path, mapping=("event_date=timestamp",))

    [event] = found.events
    assert (event.event_type, event.timestamp_ms) == ("view", 1_706_572_800_000)


def test_a_column_of_the_file_goes_first(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path / "item_id=z", ROWS))
    assert rows == [(2, {"user_id": "ann", "item_id": "a"})]


def test_equal_files_of_two_days_are_both_imported(tmp_path: Path) -> None:
    days = ("day=2024-01-29", "day=2024-01-30")
    paths = [write(tmp_path / "log" / day, ROWS) for day in days]
    store, ledger = MemoryInteractionStore(), Ledger()

    with named_files([str(tmp_path / "log")]) as found:
        assert found == paths
    options = EventOptions(mapping=("day=timestamp",), event_type="view")
    for path in paths:
        plan = plan_events(Reading(path, events=options), TENANT, store, SHOP.event_types, NOW_MS)
        assert run(plan, ledger).earlier is None

    times = sorted(each.event.timestamp_ms for each in store._events[TENANT].values())
    assert times == [1_706_486_400_000, 1_706_572_800_000]


def test_a_rejected_row_keeps_what_its_folder_said(tmp_path: Path) -> None:
    path = write(tmp_path / "day=2024-01-30", "user_id,item_id\nann,\nann,b\n")
    first = take_in(path, event_type="view", mapping=("day=timestamp",))
    rejects = first.outcome.reject_path
    mended = rejects.read_text().replace('"item_id": ""', '"item_id": "a"')
    assert mended != rejects.read_text()

    again = take_in(
        write(tmp_path, mended, rejects.name), event_type="view", mapping=("day=timestamp",)
    )

    assert again.pairs() == [("ann", "a")]
    assert again.events[0].timestamp_ms == 1_706_572_800_000
