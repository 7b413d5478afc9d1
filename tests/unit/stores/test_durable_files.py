"""Failed writes leave nothing behind, on disks that are really full or read-only."""

import errno
from pathlib import Path

import pytest

from recsys.files import write_whole
from recsys.stores.model_files import ModelFiles
from tests.builders import a_history, a_manifest, a_user_model, an_item_model
from tests.mounted_disk import mounted, read_only


def everything_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_a_full_disk_keeps_the_old_file_and_leaves_no_half_of_the_new_one(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=64k") as disk:
        write_whole(disk / "file", b"old")

        with pytest.raises(OSError, match="No space left") as full:
            write_whole(disk / "file", bytes(100_000))

        assert full.value.filename == str(disk / "file")
        assert (disk / "file").read_bytes() == b"old"
        assert everything_in(disk) == {"file"}


def test_a_model_that_does_not_fit_leaves_nothing_of_itself(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=256k") as disk:
        files, users = ModelFiles(disk), a_user_model([a_history([1])])
        files.save(a_manifest("v1"), an_item_model(), users)
        before = everything_in(disk)

        with pytest.raises(OSError, match="No space left") as full:
            files.save(a_manifest("v2"), an_item_model(n=5000, k=32), users)

        assert full.value.filename == str(disk / "shop" / "v2")
        assert everything_in(disk) == before
        assert files.items("shop", "v1")


def test_a_read_only_disk_is_named_by_every_write(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=256k") as disk:
        files = ModelFiles(disk)
        manifest = files.save(a_manifest("v1"), an_item_model(), a_user_model([a_history([1])]))

        with read_only(disk):
            for write in (
                lambda: files.mark_serving("shop", "v1"),
                lambda: files.remove("shop", "v1"),
                lambda: files.amend(manifest),
                lambda: files.withdraw(manifest),
            ):
                with pytest.raises(OSError, match="Read-only") as refused:
                    write()
                assert refused.value.errno == errno.EROFS
                assert str(refused.value.filename).startswith(str(disk))
