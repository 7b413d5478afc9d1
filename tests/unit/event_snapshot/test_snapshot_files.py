import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.core.times import MS_PER_DAY
from recsys.stores.hbase.table import KeyRange
from spark_jobs.event_snapshot import update
from spark_jobs.event_snapshot.files import FORMAT, EventSnapshot, SnapshotFolder, Unusable
from spark_jobs.event_snapshot.part import read_part
from spark_jobs.event_snapshot.source import HBaseAddresses
from spark_jobs.event_snapshot.update import SnapshotRequest
from tests.unit.event_snapshot.made_up_table import START_MS, MadeUpTable
from tests.unit.event_snapshot.test_part import an_event


@pytest.fixture
def folder(tmp_path: Path) -> SnapshotFolder:
    return SnapshotFolder(tmp_path / "snapshot")


@pytest.fixture
def write(folder: SnapshotFolder) -> Callable[[int], EventSnapshot]:
    """Writes the files of a snapshot of that many events, and commits it."""

    def written(events: int) -> EventSnapshot:
        table = MadeUpTable()
        for number in range(events):
            table.receive(an_event(number))
        [path] = folder.new_paths(1)
        part = read_part(table, path, KeyRange(), START_MS + 1).part
        snapshot = EventSnapshot("shop", "keeper", "mark", START_MS, (part,))
        folder.commit(snapshot)
        return snapshot

    return written


def test_a_snapshot_comes_back_as_it_was_committed(
    folder: SnapshotFolder, write: Callable[[int], EventSnapshot]
) -> None:
    snapshot = write(5)

    assert folder.load() == snapshot
    assert snapshot.events == 5
    folder.check_files(snapshot)


def test_what_the_snapshot_before_had_is_gone(
    folder: SnapshotFolder, write: Callable[[int], EventSnapshot]
) -> None:
    before = write(5)
    after = write(4)

    assert not folder.path_of(before.parts[0]).exists()
    assert folder.path_of(after.parts[0]).exists()


def test_files_of_runs_that_did_not_end_are_removed_and_the_snapshot_stays(
    folder: SnapshotFolder, write: Callable[[int], EventSnapshot]
) -> None:
    snapshot = write(5)
    for path in folder.new_paths(3):
        path.write_bytes(b"of a run that a full disk ended")

    folder.remove_leftovers()

    assert folder.load() == snapshot
    folder.check_files(snapshot)
    [part] = snapshot.parts
    assert {path.name for path in folder.path_of(part).parent.iterdir()} == {
        part.file,
        "snapshot.json",
    }


def test_before_the_first_snapshot_all_that_is_there_is_left_over(folder: SnapshotFolder) -> None:
    folder.remove_leftovers()
    [path] = folder.new_paths(1)
    path.write_bytes(b"of a run that was killed")

    folder.remove_leftovers()

    assert not path.exists()


def test_a_folder_without_one_says_so(folder: SnapshotFolder) -> None:
    with pytest.raises(Unusable, match="there is no snapshot yet"):
        folder.load()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text[:-20], "is damaged"),
        (lambda text: text.replace('"parts"', '"other"'), "is damaged"),
        (lambda _: json.dumps({"format": FORMAT + 1}), "of a newer release"),
        (lambda _: json.dumps({"format": FORMAT - 1}), "of an earlier release"),
    ],
)
def test_an_index_that_cannot_be_read_says_why(
    folder: SnapshotFolder,
    write: Callable[[int], EventSnapshot],
    change: Callable[[str], str],
    reason: str,
) -> None:
    [part] = write(5).parts
    index = folder.path_of(part).with_name("snapshot.json")
    index.write_text(change(index.read_text("utf-8")), "utf-8")

    with pytest.raises(Unusable, match=reason):
        folder.load()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tenant": "other"}, "of another tenant, other"),
        ({"read_at_ms": START_MS + 1}, "which is still to come"),
        ({"read_at_ms": START_MS - 30 * int(MS_PER_DAY)}, "removals are known for 30 days"),
    ],
)
def test_a_snapshot_that_does_not_fit_the_run_is_not_gone_on_from(
    write: Callable[[int], EventSnapshot], changes: dict[str, object], reason: str
) -> None:
    request = SnapshotRequest("shop", HBaseAddresses("", None), START_MS, full=False)
    snapshot = write(1)
    update._check_fits(snapshot, request)

    with pytest.raises(Unusable, match=reason):
        update._check_fits(replace(snapshot, **changes), request)
