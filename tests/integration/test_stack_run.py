"""`python -m infra.local run` and `env`: commands with the variables of a stack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.stack import Stack
from tests.stack_fixture import STACK_NAME

# As in a shell where no virtual environment is active.
PATH = "/usr/bin:/bin"


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "infra.local", "run", "--name", STACK_NAME, *arguments],
        env=os.environ | {"PATH": PATH},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.hbase
def test_tables_are_created_as_the_help_of_run_shows(store_stack: Stack) -> None:
    done = run("--admin", "--", "recsys", "tables", "create", "--tenant", "asshown")
    assert (done.returncode, done.stdout) == (0, "")
    assert "created asshown:interactions, asshown:items, asshown:imports" in done.stderr


def test_a_command_that_is_not_there_is_told(store_stack: Stack) -> None:
    done = run("--", "recsyss", "--help")
    assert done.returncode == 127
    assert done.stderr == "there is no command 'recsyss' on the PATH\n"


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137)])
def test_it_ends_as_its_command_ended(store_stack: Stack, script: str, code: int) -> None:
    assert run("--", "sh", "-c", script).returncode == code


def test_a_shell_that_takes_the_variables_finds_recsys_however_often_it_takes_them(
    store_stack: Stack,
) -> None:
    take = f'eval "$({sys.executable} -m infra.local env --name {STACK_NAME})"'
    done = subprocess.run(
        ["sh", "-c", f'{take}; {take}; command -v recsys; echo "$PATH"; echo "$REDIS_URL"'],
        env=os.environ | {"PATH": PATH},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    own = str(Path(sys.executable).parent)
    assert done.stdout.splitlines() == [
        f"{own}/recsys",
        f"{own}:{PATH}",
        store_stack.settings.redis_url,
    ]
