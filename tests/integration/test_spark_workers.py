"""The Python processes of Spark in a run."""

import psutil
import pytest

from spark_jobs.nightly.plan import Step
from spark_jobs.session import WORKER_STARTUP
from tests.integration.nightly_shop import Nightly

pytestmark = [pytest.mark.hbase, pytest.mark.redis]


def test_all_of_sparks_workers_may_be_hung_up_on_quietly(nightly: Nightly) -> None:
    nightly.run([Step.READ])
    workers = [
        process
        for process in psutil.Process().children(recursive=True)
        if "pyspark.daemon" in process.cmdline()
    ]
    assert workers
    assert all(str(WORKER_STARTUP) in worker.environ()["PYTHONPATH"] for worker in workers)
