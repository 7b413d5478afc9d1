"""Faults of the whole stack under a steady load, and the table of what they did."""

from pathlib import Path

import pytest

from tests.e2e.load import questions
from tests.e2e.load_driver import Request
from tests.e2e.shop import KNOWN_CUSTOMER, TENANT, Shop, recommendations, similar
from tests.faults.table import Table
from tests.shop_fixture import TRAINING
from tests.stack_fixture import Recsys

_TABLE = pytest.StashKey[Table]()
PER_SECOND = 200
_LIMIT = 20


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.stack)


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
    """What shoppers ask: known customers, strangers, and items alike."""
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
def two_versions(shop: Shop, recsys: Recsys) -> tuple[str, str]:
    """The version that serves, and another one beside it in Redis."""
    first = shop.serving()
    done = recsys("nightly", *TRAINING, "--factors", "12")
    assert done.returncode == 0, done.stderr
    second = shop.serving()
    assert first != second
    shop.published().activate(TENANT, first)
    return first, second
