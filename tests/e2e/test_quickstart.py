"""The commands of docs/quickstart.md, as they stand there, on the whole stack."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.free_port import free_port
from infra.local.ports import DEFAULT_STACK
from infra.local.settings import REPOSITORY, Settings
from tests.e2e.shop import Shop

_PAGE = (REPOSITORY / "docs/quickstart.md").read_text()
_START, _ASK, _INSTALL, _SERVE, _LOOK, _END = re.findall(r"^```\n(.*?)^```", _PAGE, re.M | re.S)


def test_its_page_shows_a_product_and_two_lists_that_follow_the_visitor(
    shop: Shop, tmp_path: Path
) -> None:
    port = free_port()
    commands = "\n".join([_ASK, "echo =====", _SERVE, _LOOK, _END])
    # The stack of the tests has other ports, and their environment has what would be installed.
    commands = commands.replace("9000", str(port))
    commands = commands.replace(".local/my-shop/bin/python", sys.executable)
    (tmp_path / ".local/my-shop").mkdir(parents=True)
    environment = {
        "RECSYS_URL": shop.stack.settings.url,
        "RECSYS_KEY": shop.key,
        "PYTHONPATH": str(REPOSITORY / "clients/python"),
    }
    said = run(commands, tmp_path, environment)

    asked, pages = said.split("=====\n")
    assert asked.count('"model_version"') == 2
    first, second = re.split(r"(?=<h1>)", pages)[1:]
    for page in (first, second):
        assert page.count("<p><a href=") == 6
        assert "<h2>For you</h2><!-- fold_in -->" in page
    assert first != second


def run(commands: str, folder: Path, environment: dict[str, str]) -> str:
    """Run commands as a person types them, with jobs; none is left afterwards."""
    shell = subprocess.Popen(
        ["bash", "-e", "-m", "-c", commands],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(timeout=60)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, said
    return said


def test_its_first_commands_name_the_stack_that_the_demo_starts() -> None:
    assert _START.startswith("make demo\n")
    settings = Settings.load(DEFAULT_STACK, {})
    assert f"RECSYS_URL={settings.url} " in _START
    key = settings.home / "demo_key"
    assert f'RECSYS_KEY="$(cat {key.relative_to(REPOSITORY)})"' in _START
    assert "./clients/python" in _INSTALL
