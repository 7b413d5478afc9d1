"""Fixtures of all tests. Nothing is started before a test asks for it."""

import os
from pathlib import PurePosixPath

import psutil
import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# A test that fails on a slow or busy machine tells nothing of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

pytest_plugins = [
    "tests.stack_fixture",
    "tests.hbase_fixture",
    "tests.redis_fixture",
    "tests.shop_fixture",
]

# What may shape the tests from outside: which Java and HAProxy, where downloads are kept.
_TAKEN = ("RECSYS_CACHE", "RECSYS_TEST_STACK")
_POINTING_ELSEWHERE = ("REDIS_URL", "HBASE_THRIFT", "HBASE_THRIFT_ADMIN", "HBASE_THRIFT2")

# Of `make test`, each with a stack of its own: some 4 GiB with the jobs that run beside it.
_MAX_WORKERS, _BYTES_PER_WORKER = 2, 6 * 1024**3


# Whose tests share what takes long to start: a shop that serves, and a Spark cluster.
_TOGETHER = ("tests/e2e", "tests/integration/distributed")


class _ByFile(LoadScopeScheduling):
    """Gives a worker a file at a time, and all of a folder of _TOGETHER to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        path = PurePosixPath(nodeid.partition("::")[0])
        folder = str(path.parent)
        return folder if folder in _TOGETHER else str(path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _ByFile(config, log)


def pytest_xdist_auto_num_workers() -> int:
    by_memory = psutil.virtual_memory().total // _BYTES_PER_WORKER
    return max(1, min(_MAX_WORKERS, os.cpu_count() or 1, by_memory))


def pytest_configure() -> None:
    """A shell set up for a running stack must not make the tests work on that one's data."""
    for name in list(os.environ):
        if name in _POINTING_ELSEWHERE or (name.startswith("RECSYS_") and name not in _TAKEN):
            del os.environ[name]
