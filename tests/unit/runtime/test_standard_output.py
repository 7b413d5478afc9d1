"""Commands whose streams are closed, or of an encoding that lacks what they print."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.small_disk import recsys

# What a command does that prints the title of an item, as a table and as JSON.
_TITLE = """
import sys
from pathlib import Path
from cli.output import show, show_json
from recsys.runtime.standard_output import prepare_streams

prepare_streams()
show(["title"], [["K\\xe4se \\u8336 \\udcff"]])
if "--json" in sys.argv:
    show_json({"title": "K\\xe4se \\u8336 \\udcff"})
"""


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("file", "code"), [("keys.toml", 0), ("no/keys.toml", 2)])
def test_a_command_works_as_usual_whichever_streams_are_closed(
    tmp_path: Path, closed: str, file: str, code: int
) -> None:
    (tmp_path / "keys.toml").touch()
    command = ["sh", "-c", f'"$@" {closed}', "sh", *recsys("keys", "list", "--file", file)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_what_a_command_opens_gets_no_number_of_a_closed_stream() -> None:
    script = """
import os
from recsys.runtime.standard_output import prepare_streams

prepare_streams()
read, write = os.pipe()
assert read > 2, read
"""
    closed = ["sh", "-c", '"$@" <&- >&-', "sh", sys.executable, "-c", script]
    done = subprocess.run(closed, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def printed(encoding: str, *arguments: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", _TITLE, *arguments],
        env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "PATH": ""},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_a_character_that_the_encoding_lacks_is_printed_by_its_number() -> None:
    assert printed("ascii") == b"title\nK\\xe4se \\u8336 \\udcff\n"
    assert printed("latin-1") == b"title\nK\xe4se \\u8336 \\udcff\n"
    assert printed("utf-8") == "title\nKäse 茶 \\udcff\n".encode()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_is_valid_in_every_encoding(encoding: str) -> None:
    document = printed(encoding, "--json").split(b"\n", 2)[2]
    assert json.loads(document.decode(encoding)) == {"title": "Käse 茶 \udcff"}


@pytest.mark.parametrize("place", ["/dev/full", "a pipe without a reader"])
def test_work_goes_on_when_its_progress_cannot_be_written(place: str) -> None:
    script = """
from cli.output import say
from recsys.runtime.standard_output import prepare_streams

prepare_streams()
for _ in range(1000):
    say("progress " * 10)
print("done")
"""
    if place == "/dev/full":
        lost = os.open(place, os.O_WRONLY)
    else:
        read, lost = os.pipe()
        os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=lost,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(lost)
    assert (done.returncode, done.stdout) == (0, "done\n")
