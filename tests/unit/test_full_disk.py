"""Commands whose files or output cannot be written: one line says so, and nothing is half done."""

import errno
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.auth.api_keys import Scope
from recsys.auth.key_file import create_key
from tests.small_disk import SmallDisk, recsys

FILL = 'head -c 70000 /dev/zero > "$disk/filler" 2>/dev/null'
PYTHON = (sys.executable, "-c")


@pytest.fixture
def disk(tmp_path: Path) -> SmallDisk:
    path = tmp_path / "disk"
    path.mkdir()
    return SmallDisk(path)


def create(file: Path) -> list[str]:
    return recsys("keys", "create", "--file", str(file), "--tenant", "demo", "--scope", "read")


def one_error(done: "subprocess.CompletedProcess[str]") -> str:
    """The only line of a command that failed in an orderly way."""
    assert done.returncode == 1, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_a_key_that_finds_no_room_is_told_and_leaves_nothing_half_written(disk: SmallDisk) -> None:
    done = disk.run(*create(disk.path / "keys.toml"), prepare=FILL)
    assert one_error(done) == (
        f"error: cannot use {disk.path}/keys.toml: No space left on device; "
        "make room on its disk, then run this again"
    )
    assert done.stdout == "left: .keys.toml.lock filler \n"


def test_a_read_only_place_for_keys_is_told(disk: SmallDisk) -> None:
    script = f"""
from pathlib import Path
from recsys.auth.key_file import create_key
from recsys.files import file_problem

try:
    create_key(Path("{disk.path}/keys.toml"), "demo", ["read"])
except OSError as error:
    print(file_problem(error))
"""
    done = SmallDisk(disk.path, "ro").run(*PYTHON, script)
    assert done.stdout == (
        f"cannot use {disk.path}/keys.toml: Read-only file system; "
        "its file system is read-only: name a place that can be written\nleft: \n"
    )


def test_reject_files_are_whole_or_not_there(disk: SmallDisk) -> None:
    script = f"""
from pathlib import Path
from recsys.files import file_problem
from recsys.importing.rejects import RejectFile
from recsys.importing.source import BadRow

try:
    with RejectFile(Path("{disk.path}"), "events", "shop", Path("orders")) as rejects:
        rejects.write([BadRow(n, "is bad", "x" * 100) for n in range(1000)])
except OSError as error:
    print(file_problem(error))
"""
    done = disk.run(*PYTHON, script)
    assert done.returncode == 0, done.stderr
    problem, left = done.stdout.splitlines()
    assert problem.startswith(f"cannot use {disk.path}/orders.events.rejects.jsonl: No space left")
    assert left == "left: "


def test_settings_and_results_are_whole_or_as_they_were(disk: SmallDisk) -> None:
    script = f"""
from pathlib import Path
from recsys.config.shop import load_shop
from recsys.training.settings import ModelSettings
from spark_jobs.model_settings import read_model_settings, write_model_settings

path = Path("{disk.path}/settings.json")
write_model_settings(path, ModelSettings())
Path("{disk.path}/filler").write_bytes(b"x" * 60_000)
try:
    write_model_settings(path, ModelSettings(neighbours=77))
    print("there was room")
except OSError as error:
    left = read_model_settings(path, load_shop(), print)
    print(error.filename == str(path), left == ModelSettings())
"""
    done = disk.run(*PYTHON, script)
    assert done.stdout == "True True\nleft: filler settings.json \n", done.stderr


_PRINT = """
import sys
from recsys.runtime.standard_output import output_has_left

print("x" * int(sys.argv[1]))
sys.exit(0 if output_has_left() else 1)
"""


def printed(characters: int, then: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'"$@" {then}', "bash", *PYTHON, _PRINT, str(characters)],
        # Output that is buffered, as it is where nothing else is asked for.
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_output_that_is_read_to_its_end_is_a_success() -> None:
    assert printed(10, "| cat > /dev/null").returncode == 0


def test_output_that_nobody_reads_is_no_traceback() -> None:
    done = printed(10, "| { exec <&-; sleep 1; }")
    assert (done.returncode, done.stderr) == (1, "")


def test_output_to_a_full_disk_is_told() -> None:
    done = printed(10, "> /dev/full")
    assert one_error(done) == "error: cannot write the output: No space left on device"


@pytest.mark.parametrize("module", ["cli.app", "infra.local.__main__"])
def test_both_command_lines_say_an_error_of_a_file_in_one_line(
    module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command_line = importlib.import_module(module)

    def fail() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/shop/file")

    monkeypatch.setattr(command_line, "app", fail)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 1
    assert "cannot use /shop/file: No space left on device; make room" in capsys.readouterr().err


def test_output_longer_than_a_buffer_is_dropped_quietly_too(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    create_key(file, "demo", [Scope.READ])
    [key] = file.read_text().split("\n\n")
    # More than a pipe holds, 64 KiB: with less it depends on who is first.
    file.write_text("\n\n".join([key] * 5000))
    listing = recsys("keys", "list", "--file", str(file))
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", '"$@" | head -1', "bash", *listing],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert len(done.stdout.splitlines()) == 1
    assert (done.returncode, done.stderr) == (1, "")
