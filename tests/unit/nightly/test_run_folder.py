from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.domain import Attribute, Item
from recsys.core.errors import NotFound
from recsys.core.shop_time import ShopTime
from recsys.core.vocabulary import Vocabulary
from recsys.stores.memory.items import MemoryItemStore
from recsys.stores.run_files import CATALOGUE
from spark_jobs.nightly import run_folder
from spark_jobs.nightly.run_folder import RunFolder, Snapshot, Window

NOW_MS, DAY_MS = 1_800_000_000_000, 86_400_000


def test_scratch_is_empty_whatever_a_killed_run_left_there(tmp_path: Path) -> None:
    with RunFolder(tmp_path).scratch() as folder:
        kept = folder / "blocks" / "left.npy"
        kept.parent.mkdir()
        kept.touch()
        # The run that was killed never leaves its block; the next one begins here.
        with RunFolder(tmp_path).scratch() as again:
            assert again == folder
            assert not list(again.iterdir())


def test_scratch_is_gone_afterwards_also_when_training_fails(tmp_path: Path) -> None:
    def train() -> None:
        with RunFolder(tmp_path).scratch() as folder:
            (folder / "pairs.parquet").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        train()
    assert not list(tmp_path.iterdir())


def a_shop() -> MemoryItemStore:
    items = MemoryItemStore()
    attributes: dict[str, Attribute] = {"colour": "red", "litres": 0.3, "dishwasher": True}
    items.put(
        "shop",
        [
            Item(
                *("cup", "A cup", ("kitchen", "cups"), "Potter", 4.5),
                attributes=attributes,
                created_ms=NOW_MS - DAY_MS,
            ),
            Item("bare", available=False, created_ms=NOW_MS - 100 * DAY_MS),
        ],
    )
    return items


def test_the_catalogue_comes_back_with_titles_availability_and_content(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.save_catalogue(a_shop(), "shop")

    catalogue = folder.catalogue()
    content = catalogue.content_of(["cup", "bare"], NOW_MS)

    assert catalogue.titles == {"cup": "A cup", "bare": ""}
    assert catalogue.available == {"cup": True, "bare": False}
    assert content.title.to_pylist() == ["A cup", None]
    assert content.categories.to_pylist() == [["kitchen", "cups"], []]
    assert content.brand.to_pylist() == ["Potter", None]
    assert content.price.to_pylist() == [4.5, None]
    attributes = [
        {"name": "colour", "text": "red", "number": None, "flag": None},
        {"name": "litres", "text": None, "number": 0.3, "flag": None},
        {"name": "dishwasher", "text": None, "number": None, "flag": True},
    ]
    assert content.attributes.to_pylist() == [attributes, []]
    assert content.is_new.tolist() == [True, False]


def test_content_comes_in_the_order_asked_for_and_is_null_for_unknown_items(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.save_catalogue(a_shop(), "shop")

    content = folder.catalogue().content_of(Vocabulary(["unknown", "cup"]), NOW_MS)

    assert content.title.to_pylist() == [None, "A cup"]
    assert content.categories.to_pylist() == [None, ["kitchen", "cups"]]


def test_a_catalogue_of_several_batches_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_folder, "_ITEMS_PER_BATCH", 2)
    items = MemoryItemStore()
    items.put("shop", [Item(f"i{n}", title=f"Item {n}") for n in range(5)])
    folder = RunFolder(tmp_path)
    folder.save_catalogue(items, "shop")

    catalogue = folder.catalogue()

    assert catalogue.titles == {f"i{n}": f"Item {n}" for n in range(5)}
    assert catalogue.content_of(["i4", "i0"], NOW_MS).title.to_pylist() == ["Item 4", "Item 0"]


def test_a_shop_without_a_catalogue_has_no_content(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.save_catalogue(MemoryItemStore(), "shop")

    catalogue = folder.catalogue()

    assert catalogue.titles == {}
    assert catalogue.content_of(["cup"], NOW_MS).title.to_pylist() == [None]


def test_what_a_later_release_added_to_a_catalogue_is_left_out(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.save_catalogue(a_shop(), "shop")
    table = pq.read_table(tmp_path / CATALOGUE)
    later = table.append_column("colour", pa.array([""] * len(table)))
    pq.write_table(later, tmp_path / CATALOGUE)

    assert folder.catalogue().table == table


def test_a_snapshot_that_needs_a_later_release_asks_for_the_read_step(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    snapshot = Snapshot("shop", Window(0, 1), 2, ShopTime(2), 3, "f")
    folder.save_snapshot(snapshot)
    assert folder.snapshot() == snapshot

    folder.save_snapshot(replace(snapshot, least_reader=99))

    with pytest.raises(NotFound, match="of a later release: run `recsys nightly read` first"):
        folder.snapshot()


def test_a_catalogue_of_another_release_asks_for_the_read_step(tmp_path: Path) -> None:
    titles_only = pa.table({"item_id": ["cup"], "title": ["A cup"], "available": [True]})
    pq.write_table(titles_only, tmp_path / CATALOGUE)

    with pytest.raises(NotFound, match="of another release: run `recsys nightly read` first"):
        RunFolder(tmp_path).catalogue()


@pytest.mark.parametrize(
    ("file", "content", "step"),
    [
        (CATALOGUE, b"PAR1", "read"),
        (CATALOGUE, b"", "read"),
        ("candidate", b"\xff\xfe2026", "train"),
        ("candidate", b"", "train"),
        ("candidate", b"../20261129", "train"),
    ],
)
def test_a_file_that_the_disk_has_damaged_names_the_step_that_makes_it_again(
    tmp_path: Path, file: str, content: bytes, step: str
) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / file).write_bytes(content)
    read = folder.catalogue if file == CATALOGUE else folder.candidate

    with pytest.raises(NotFound, match=f"{file} is damaged: run `recsys nightly {step}` first"):
        read()


def test_a_note_of_the_candidate_that_an_editor_has_ended_with_a_line_is_read(
    tmp_path: Path,
) -> None:
    (tmp_path / "candidate").write_bytes(b"20261129T020000Z-1a2b3c4d\n")

    assert RunFolder(tmp_path).candidate() == "20261129T020000Z-1a2b3c4d"


def test_a_damaged_note_of_the_candidate_does_not_stop_the_next_run(tmp_path: Path) -> None:
    (tmp_path / "candidate").write_bytes(b"\xff\xfe2026")

    assert RunFolder(tmp_path).last_candidate() is None


@pytest.mark.parametrize("name", ["snapshot.json", "catalogue.parquet", "candidate"])
def test_a_folder_in_the_place_of_a_file_is_told_before_anything_is_read(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()

    with pytest.raises(IsADirectoryError, match=name):
        RunFolder(tmp_path).begin()


def test_half_written_files_of_a_killed_run_are_removed_by_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".catalogue.parquet.0123.part"
    left.write_bytes(b"half")

    RunFolder(tmp_path).begin()

    assert not left.exists()
