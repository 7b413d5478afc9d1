"""The command line where only what a gateway needs is installed, and its overview."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cli.app import COMMANDS, LazyCommand

# Imports what is named before the command line begins to fail, as if it were not installed.
_WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"pyspark", "implicit", "numba", "scipy", "pyarrow", "pandas"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv = ["recsys", *sys.argv[1:]]
from cli.app import main

main()
"""


def without_the_train_extra(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", _WITHOUT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_keys_are_made_without_spark_and_the_training_libraries(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    options = ("--file", str(file), "--tenant", "demo", "--scope", "read")
    done = without_the_train_extra("keys", "create", *options)
    assert done.returncode == 0, done.stderr
    assert "demo" in file.read_text()


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("keys", "list", "--help"), ("tables", "create", "--help"), ("models", "--help")],
    ids=" ".join,
)
def test_help_needs_no_training_libraries(arguments: tuple[str, ...]) -> None:
    done = without_the_train_extra(*arguments)
    assert done.returncode == 0, done.stderr
    assert "Usage: recsys" in done.stdout


def test_the_release_is_that_of_the_package() -> None:
    done = without_the_train_extra("--version")
    assert (done.returncode, done.stderr) == (0, "")
    with Path("pyproject.toml").open("rb") as file:
        assert done.stdout == f"recsys {tomllib.load(file)['project']['version']}\n"


def test_a_command_that_needs_spark_says_what_to_install() -> None:
    done = without_the_train_extra("nightly")
    assert done.returncode == 1
    assert done.stderr.startswith("error: this command needs ")
    assert done.stderr.endswith("pip install 'recsys[train]'\n")
    assert len(done.stderr.splitlines()) == 1


def test_what_a_command_was_given_wrong_ends_as_the_overview_says(tmp_path: Path) -> None:
    done = without_the_train_extra("keys", "list", "--file", str(tmp_path / "none" / "keys.toml"))
    assert done.returncode == 2, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_says_what_each_command_says_of_itself(name: str) -> None:
    place, line = COMMANDS[name]
    text = LazyCommand(name, place, line).load().help
    assert text.partition("\n\n")[0].replace("\n", " ") == line


def test_a_paragraph_of_help_is_broken_for_the_terminal_and_not_as_in_the_source() -> None:
    done = without_the_train_extra("tables", "create", "--help")
    lines = [line.strip() for line in done.stdout.splitlines()]
    start = next(n for n, line in enumerate(lines) if line.startswith("The interactions table"))
    paragraph = lines[start : lines.index("", start)]
    # In a pipe there are 80 columns.
    assert all(len(line) > 50 for line in paragraph[:-1]), paragraph
