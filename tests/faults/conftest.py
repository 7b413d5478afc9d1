"""Faults of the whole stack under a steady load, and the table of what they did."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from recsys.stores.redis import keys
from recsys.stores.redis.connect import connect
from tests.e2e.load import questions
from tests.e2e.load_driver import Request
from tests.e2e.shop import KNOWN_CUSTOMER, TENANT, Shop, recommendations, similar
from tests.faults.table import Table
from tests.shop_fixture import TRAINING
from tests.stack_fixture import Recsys

_TABLE = pytest.StashKey[Table]()
PER_SECOND = 200
_LIMIT = 20
_PATIENCE_SECONDS = 60.0
_BUSY_PERCENT = 40


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.stack)


@pytest.fixture(autouse=True)
def quiet_machine() -> None:
    """Wait a while for what else the machine does to end: it would be measured, too."""
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while psutil.cpu_percent(interval=1.0) > _BUSY_PERCENT and time.monotonic() < give_up:
        pass


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> Table:
    """Printed at the end of the session."""
    return pytestconfig.stash.setdefault(_TABLE, Table())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    table = config.stash.get(_TABLE, None)
    if table is not None:
        terminalreporter.section("faults under load, as measured")
        for line in table.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def paths(shop: Shop) -> list[str]:
    """Requests for known and unknown users, and for similar items."""
    customers = sorted({str(line["CustomerID"]) for line in shop.lines} - {KNOWN_CUSTOMER})[:20]
    bought = sorted(shop.bought_by(KNOWN_CUSTOMER))[:10]
    strangers = [f"stranger-{number}" for number in range(10)]
    return [recommendations(who, _LIMIT) for who in (*customers, *strangers)] + [
        similar(item_id, _LIMIT) for item_id in bought
    ]


@pytest.fixture(scope="session")
def asking(paths: list[str]) -> list[Request]:
    return questions(paths)


@pytest.fixture(scope="session")
def stored_versions(shop: Shop, recsys: Recsys) -> tuple[str, str]:
    """The version that serves, and one that was trained after it and served for a moment."""
    first = shop.serving()
    done = recsys("nightly", *TRAINING, "--factors", "8")
    assert done.returncode == 0, done.stderr
    second = shop.serving()
    assert first != second
    assert recsys("models", "serve", first).returncode == 0
    return first, second


@pytest.fixture
def two_versions(
    shop: Shop, recsys: Recsys, stored_versions: tuple[str, str]
) -> Iterator[tuple[str, str]]:
    """Both are in Redis, also after a test that emptied it; the first serves before and after."""
    first, second = stored_versions
    published = versions_in_redis(shop)
    for version in (second, first):
        if version not in published:
            assert recsys("models", "serve", version).returncode == 0
    shop.published().activate(TENANT, first)
    yield stored_versions
    shop.published().activate(TENANT, first)


def versions_in_redis(shop: Shop) -> set[str]:
    with connect(shop.stack.settings.redis_url) as redis:
        found = redis.scan_iter(keys.all_versions_pattern(TENANT))
        return {keys.version_of(TENANT, key.decode()) for key in found}
