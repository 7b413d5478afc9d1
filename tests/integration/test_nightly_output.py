"""What an operator sees of a good run."""

import psutil
import pytest

from infra.local.stack import Stack
from spark_jobs.nightly.plan import Step
from spark_jobs.session import WORKER_STARTUP
from tests.integration.nightly_shop import Nightly
from tests.redis_fixture import NIGHTLY_DATABASE, empty_database
from tests.stack_fixture import Recsys

pytestmark = [pytest.mark.hbase, pytest.mark.redis]


def test_a_good_run_prints_no_traceback(
    recsys: Recsys, nightly: Nightly, store_stack: Stack
) -> None:
    done = recsys(
        *("nightly", "--tenant", nightly.plan.tenant, "--end", "2011-03-15"),
        *("--holdout-days", "1", "--factors", "16", "--alpha", "5"),
        REDIS_URL=empty_database(store_stack, NIGHTLY_DATABASE),
        RECSYS_MODEL_STORE=str(nightly.settings.model_store),
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_all_of_sparks_workers_may_be_hung_up_on_quietly(nightly: Nightly) -> None:
    nightly.run([Step.READ])
    workers = [
        process
        for process in psutil.Process().children(recursive=True)
        if "pyspark.daemon" in process.cmdline()
    ]
    assert workers
    assert all(str(WORKER_STARTUP) in worker.environ()["PYTHONPATH"] for worker in workers)
