"""Spark's Python workers, started as Spark does, when Spark hangs up on them."""

import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from spark_jobs.session import WORKER_STARTUP
from tests.eventually import eventually


@pytest.mark.parametrize(
    "worker",
    [
        "pyspark.worker",
        "pyspark.sql.worker.lookup_data_sources",
        "pyspark.sql.worker.create_data_source",
        "pyspark.sql.worker.plan_data_source_read",
    ],
)
def test_a_worker_that_spark_has_no_more_use_for_ends_without_a_traceback(worker: str) -> None:
    # Short: a unix socket's path may have about a hundred characters.
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "pyspark.daemon", worker],
            env=os.environ
            | {
                "PYTHONPATH": str(WORKER_STARTUP),
                "PYTHON_UNIX_DOMAIN_ENABLED": "true",
                "PYTHON_WORKER_FACTORY_SOCK_DIR": folder,
                "PYTHON_DAEMON_KILL_WORKER_ON_FLUSH_FAILURE": "1",
                "SPARK_REUSE_WORKER": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout
        pid = _start_worker(process.stdout.read(struct.unpack(">i", process.stdout.read(4))[0]))
        _await_end(pid)
        _, errors = process.communicate(timeout=30)
    assert errors.decode() == ""


def _start_worker(address: bytes) -> int:
    """Have a worker forked, and hang up before it gets a task."""
    with socket.socket(socket.AF_UNIX) as spark:
        spark.connect(address)
        return int(struct.unpack(">i", spark.recv(4, socket.MSG_WAITALL))[0])


def _await_end(pid: int) -> None:
    eventually(lambda: not Path(f"/proc/{pid}").exists(), within_seconds=60)
