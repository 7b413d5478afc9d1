"""What an operator sees of a failure within a task, on the console of a run of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.core.errors import ConfigurationError
from spark_jobs.session import spark_session
from spark_jobs.settings import SparkSettings

_FAILS = """
from recsys.core.errors import Unavailable
from spark_jobs.session import spark_session
from spark_jobs.settings import SparkSettings
from spark_jobs.task_errors import errors_of_tasks

def fail(batches):
    raise Unavailable("hbase", "it did not respond in time")

with spark_session(SparkSettings(), "fails") as spark:
    try:
        with errors_of_tasks():
            spark.range(4).mapInArrow(fail, "id long").{action}
    except Unavailable as error:
        print(error)
"""


@pytest.mark.parametrize("action", ["collect()", "write.parquet('rows')"], ids=["read", "written"])
def test_a_store_that_is_away_is_said_in_a_line_and_not_by_every_task(
    tmp_path: Path, action: str
) -> None:
    script = _FAILS.replace("{action}", action.replace("rows", str(tmp_path / "rows")))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=180, check=True
    )
    assert done.stdout == "hbase is unavailable: it did not respond in time\n"
    assert "Traceback" not in done.stderr
    assert "\tat java" not in done.stderr


_LOSES_JAVA = """
import signal
import psutil
from recsys.core.errors import Unavailable
from spark_jobs.session import spark_session
from spark_jobs.settings import SparkSettings

interrupt = signal.getsignal(signal.SIGINT)
try:
    with spark_session(SparkSettings(), "loses Java") as spark:
        assert signal.getsignal(signal.SIGINT) is interrupt
        for child in psutil.Process().children(recursive=True):
            if child.name() == "java":
                child.kill()
        spark.range(4).collect()
except Unavailable as error:
    print(error)
"""


def test_a_java_process_that_was_killed_is_said_in_a_line_with_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOSES_JAVA], capture_output=True, text=True, timeout=180, check=True
    )
    assert done.stdout.startswith("spark is unavailable: its Java process was killed, most likely")
    assert "RECSYS_SPARK_MEMORY, now 2g" in done.stdout
    assert "py4j" not in done.stderr


_STARTS = """
from spark_jobs.session import spark_session
from spark_jobs.settings import SparkSettings

with spark_session(SparkSettings(), "starts") as spark:
    print(spark.range(4).count())
"""


def test_a_machine_whose_name_leads_nowhere_runs_spark_by_itself() -> None:
    named = ["unshare", "--user", "--map-root-user", "--uts", "sh", "-c"]
    named += ['hostname leads-nowhere || exit 99; exec "$@"', "sh"]
    environment = {name: value for name, value in os.environ.items() if name != "SPARK_LOCAL_IP"}
    done = subprocess.run(
        [*named, sys.executable, "-c", _STARTS],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if "unshare" in done.stderr or done.returncode == 99:
        pytest.skip(f"no machine can be named here: {done.stderr}")
    assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr


def test_a_user_without_a_name_is_told_that_spark_needs_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    with (
        pytest.raises(ConfigurationError, match="user 4000000000 has no name"),
        spark_session(SparkSettings(), "starts"),
    ):
        pass
