import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsys.files import errors_name, file_problem, whole_file, write_whole


def failing_with(code: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("step", ["open", "fsync"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_write_that_fails_leaves_the_old_file_and_none_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    path = tmp_path / "settings.json"
    write_whole(path, "old")
    with monkeypatch.context() as patch:
        patch.setattr(os, step, failing_with(code))
        with pytest.raises(OSError, match=os.strerror(code)) as caught:
            write_whole(path, "new")
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_its_mode(tmp_path: Path) -> None:
    write_whole(tmp_path / "key", "secret", mode=0o600)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "make room on its disk"),
        (errno.EDQUOT, "make room"),
        (errno.EROFS, "is read-only"),
        (errno.EACCES, "give this user the right"),
        (errno.EPERM, "give this user the right"),
        (errno.ENOTDIR, "check the path"),
        (errno.EIO, "check the path"),
    ],
)
def test_a_problem_is_one_line_of_which_file_why_and_what_to_do(code: int, remedy: str) -> None:
    with (
        pytest.raises(OSError, match=os.strerror(code)) as caught,
        errors_name(Path("/shop/keys.toml")),
    ):
        raise OSError(code, os.strerror(code))
    problem = file_problem(caught.value)
    assert problem
    assert problem.startswith(f"cannot use /shop/keys.toml: {os.strerror(code)}; ")
    assert remedy in problem
    assert "\n" not in problem


def test_a_full_disk_is_told_even_where_the_file_is_not_known() -> None:
    assert file_problem(OSError(errno.ENOSPC, "Error writing bytes to file")) == (
        "cannot use a file: Error writing bytes to file; make room on its disk, then run this again"
    )


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "refused"), TimeoutError("late")])
def test_what_is_about_no_file_is_left_alone(error: OSError) -> None:
    assert file_problem(error) is None


def test_a_file_has_its_name_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "factors.npy"
    with whole_file(path, durable=False) as file:
        file.write(b"half")
        assert not path.exists()
    assert path.read_bytes() == b"half"
    assert list(tmp_path.iterdir()) == [path]


def test_two_that_write_one_file_at_once_leave_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "factors.npy"
    with whole_file(path) as first, whole_file(path) as second:
        first.write(b"first")
        second.write(b"second")
    assert path.read_bytes() == b"first"


def test_a_device_is_written_to_and_stays_one(tmp_path: Path) -> None:
    # As when root says `--output /dev/null`.
    null = tmp_path / "null"
    null.symlink_to(os.devnull)
    write_whole(null, "result")
    assert stat.S_ISCHR(null.stat().st_mode)
    assert null.is_symlink()
    assert list(tmp_path.iterdir()) == [null]


def test_a_full_device_is_an_error_that_names_it() -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        write_whole(Path("/dev/full"), "result")
    assert caught.value.filename == "/dev/full"


def test_a_pipe_gets_what_is_written(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "result")
    assert os.read(reader, 100) == b"result"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)


def test_a_link_goes_on_leading_to_the_file_that_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    link, file = tmp_path / "keys.toml", tmp_path / "shared" / "keys.toml"
    file.write_text("old")
    link.symlink_to(file)
    write_whole(link, "new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert list((tmp_path / "shared").iterdir()) == [file]


def test_whoever_could_read_a_file_can_read_the_one_that_replaces_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text("old")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 23456)
    owner = path.stat().st_uid, path.stat().st_gid
    write_whole(path, "new", mode=0o600)
    now = path.stat()
    assert (now.st_uid, now.st_gid) == owner
    assert stat.S_IMODE(now.st_mode) == 0o640


def test_a_mode_is_not_taken_over_where_the_owner_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys.toml"
    path.write_text("old")
    path.chmod(0o640)
    monkeypatch.setattr(os, "fstat", lambda _: os.stat_result([0, 0, 0, 0, 1, 1, 0, 0, 0, 0]))
    monkeypatch.setattr(os, "fchown", failing_with(errno.EPERM))
    write_whole(path, "new", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
