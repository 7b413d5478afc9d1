"""What cannot be written leaves nothing behind, and says what to do."""

import errno
import os
from pathlib import Path

import pytest

from recsys.core.errors import StorageFailure
from recsys.stores.durable_files import UNFINISHED, storage_failure, write_durably
from recsys.stores.model_files import ModelFiles
from tests.builders import a_history, a_manifest, a_user_side, an_item_side
from tests.small_disk import mounted, read_only


def everything_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


def test_a_full_disk_keeps_the_old_file_and_leaves_no_half_of_the_new_one(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=64k") as disk:
        write_durably(disk / "file", b"old")

        with pytest.raises(StorageFailure, match=r"cannot write .*file: No space left .*; free"):
            write_durably(disk / "file", bytes(100_000))

        assert (disk / "file").read_bytes() == b"old"
        assert everything_in(disk) == {"file"}


def test_a_model_that_does_not_fit_leaves_nothing_of_itself(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=256k") as disk:
        files, users = ModelFiles(disk), a_user_side([a_history([1])])
        files.save(a_manifest("v1"), an_item_side(), users)

        with pytest.raises(StorageFailure, match=r"No space left on device; free some space"):
            files.save(a_manifest("v2"), an_item_side(n=5000, k=32), users)

        assert files.versions("shop") == ["v1"]
        assert not [name for name in everything_in(disk) if UNFINISHED in name]
        assert files.items("shop", "v1")


def test_a_read_only_disk_is_named(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=256k") as disk:
        files = ModelFiles(disk)
        files.save(a_manifest("v1"), an_item_side(), a_user_side([a_history([1])]))

        with read_only(disk):
            for write in (
                lambda: files.mark_serving("shop", "v1"),
                lambda: files.remove("shop", "v1"),
                lambda: files.amend(files.manifest("shop", "v1")),
            ):
                with pytest.raises(StorageFailure, match=r"Read-only file system; mount it"):
                    write()


def test_a_writer_that_dies_in_between_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_durably(tmp_path / "file", b"old")

    def die(number: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        write_durably(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"old"
    assert everything_in(tmp_path) == {"file"}


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "recsys models remove"),
        (errno.EACCES, "let this user write there"),
        (errno.EROFS, "mount it for writing"),
        (errno.EIO, "then run again"),
    ],
)
def test_each_reason_has_its_remedy(code: int, remedy: str) -> None:
    failure = storage_failure(Path("/models"), code, os.strerror(code))

    assert str(failure).startswith(f"cannot write /models: {os.strerror(code)}; ")
    assert remedy in str(failure)
