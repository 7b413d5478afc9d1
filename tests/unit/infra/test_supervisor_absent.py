"""Asking a supervisor that is not there."""

from pathlib import Path

import psutil

from infra.local.processes.supervision import Supervisor
from infra.local.settings import Settings


def test_a_supervisor_that_is_not_there_is_found_out_without_leaving_a_socket(
    tmp_path: Path,
) -> None:
    supervisor = Supervisor(Settings.load("nobody", {}, tmp_path))
    files_open = psutil.Process().num_fds()

    assert not supervisor.is_running()
    assert supervisor.processes() == {}
    assert psutil.Process().num_fds() == files_open
