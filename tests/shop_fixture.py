"""The whole started stack with a slice of a real shop's history, imported and trained."""

import datetime
from collections.abc import Iterator

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import compute as pc

from infra.local.servers.keys import ensure_demo_key
from infra.local.settings import REPOSITORY
from infra.local.stack import Stack
from tests.e2e.shop import Shop
from tests.eventually import eventually
from tests.stack_fixture import Recsys

_DATA = REPOSITORY / "infra" / "local" / "data" / "online_retail_ii.parquet"
_FROM, _UNTIL = datetime.datetime(2010, 9, 1), datetime.datetime(2010, 12, 1)
_PRESET = ("--preset", "online-retail")
TRAINING = ("--end", "2010-12-01", "--holdout-days", "5", "--factors", "16")


@pytest.fixture(scope="session")
def shop(stack: Stack, recsys: Recsys, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Every twentieth customer's autumn of 2010: some 7,000 lines, trained and served."""
    lines = tmp_path_factory.mktemp("lines") / "autumn.parquet"
    table = pq.read_table(_DATA)
    when, who = table["InvoiceDate"], table["CustomerID"]
    autumn = pc.and_(pc.greater_equal(when, _FROM), pc.less(when, _UNTIL))
    some = pc.is_in(pc.subtract(who, pc.multiply(pc.divide(who, 20), 20)), pa.array([10]))
    pq.write_table(table.filter(pc.and_(autumn, some)), lines)
    for command in (
        ("import", "items", *_PRESET, str(lines)),
        ("import", "events", *_PRESET, str(lines)),
        ("nightly", *TRAINING),
    ):
        done = recsys(*command)
        assert done.returncode == 0, done.stderr
    shop = Shop(stack, ensure_demo_key(stack.settings), pq.read_table(lines).to_pylist())
    with shop.client() as api:
        eventually(lambda: api.get("/v1/users/nobody/recommendations").json().get("model_version"))
    return shop


@pytest.fixture
def api(shop: Shop) -> Iterator[httpx.Client]:
    """A storefront's client, through the balancer, over HTTP/1.1."""
    with shop.client() as client:
        yield client


@pytest.fixture
def shopper(request: pytest.FixtureRequest) -> str:
    """Somebody nobody knows."""
    return f"shopper of {request.node.name}"
