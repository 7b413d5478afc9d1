"""Fixtures of all tests. Nothing is started before a test asks for it."""

import os

from hypothesis import settings

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
_POINTING_ELSEWHERE = ("REDIS_URL", "HBASE_THRIFT", "HBASE_THRIFT_ADMIN")


def pytest_configure() -> None:
    """A shell set up for a running stack must not make the tests work on that one's data."""
    for name in list(os.environ):
        if name in _POINTING_ELSEWHERE or (name.startswith("RECSYS_") and name not in _TAKEN):
            del os.environ[name]
