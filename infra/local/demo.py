"""The demo: a real shop's history in, recommendations out."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from rich.console import Console
from rich.table import Table

from infra.local.errors import StackError
from infra.local.servers.keys import ensure_demo_key
from infra.local.servers.tables import DEMO_TENANT
from infra.local.stack import Stack
from recsys.stores.hbase.interactions import HBaseInteractionStore
from recsys.stores.hbase.pool import HBasePool

_DATA = Path(__file__).parent / "data" / "online_retail_ii.parquet"
_PRESET = ("--preset", "online-retail")
# The day after the shop's last one, so that what the demo posts today is not trained on; and the
# last hundred days as the future to judge by.
_WINDOW = ("--end", "2011-12-10", "--holdout-days", "100")


def run_demo(stack: Stack) -> None:
    """Bring the stack up, load, train, and show what it recommends; done parts are passed over.

    Raises StackError when a part fails; running again goes on where it stopped.
    """
    started = time.monotonic()
    stack.up()
    _recsys(stack, "import", "items", *_PRESET, str(_DATA))
    _recsys(stack, "import", "events", *_PRESET, str(_DATA))
    _recsys(stack, "nightly", *_WINDOW)
    key = ensure_demo_key(stack.settings)
    with Showcase(stack, key) as showcase:
        showcase.known_customer()
        showcase.similar_items()
        showcase.placement_with_a_filter()
        showcase.unknown_shopper_then_one_event()
        showcase.ways_in(time.monotonic() - started)


def _recsys(stack: Stack, *arguments: str) -> None:
    """Run the command line as an operator would, its progress in full view."""
    print(f"\n$ recsys {' '.join(arguments)}", flush=True)
    command = [str(Path(sys.executable).with_name("recsys")), *arguments]
    # Reject files, and whatever else a command writes beside itself, stay with the stack.
    finished = subprocess.run(
        command,
        env=os.environ | stack.environment() | {"RECSYS_TENANT": "demo"},
        cwd=stack.settings.home,
        check=False,
    )
    if finished.returncode:
        raise StackError(
            f"`recsys {' '.join(arguments)}` failed, see above; run `make demo` again to go on"
        )


KNOWN_CUSTOMER = "12356"
KNOWN_ITEM = "85123A"
POSTED_ITEM = "22423"
FILTER = "price <= 1"
_LISTED = 8
# A version that was published a moment ago is loaded within a poll of the recommenders.
_PATIENCE_SECONDS = 30.0
_MIB = 1024**2
# Two titles side by side; a narrower terminal wraps the lines itself.
_WIDTH = 100


class Showcase:
    """Last page of the demo: asks the API through the load balancer, and prints what it says.

    Raises StackError where an answer is not a good one.
    """

    def __init__(self, stack: Stack, key: str) -> None:
        self._stack = stack
        self._key = key
        self._api = httpx.Client(
            base_url=stack.settings.url, headers={"X-API-Key": key}, timeout=10.0
        )
        self._out = Console(highlight=False, width=_WIDTH)

    def __enter__(self) -> Self:
        self._await_model()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._api.close()

    def known_customer(self) -> None:
        """Print a customer's purchases beside their recommendations."""
        answer = self._recommendations(KNOWN_CUSTOMER)
        bought = [(item_id, self._title(item_id)) for item_id in self._bought(KNOWN_CUSTOMER)]
        table = _table("bought last", "recommended")
        recommended = [(item["item_id"], item["title"]) for item in answer["items"]]
        for left, right in zip(bought, recommended, strict=False):
            table.add_row(_line(left), _line(right))
        self._print(f"Customer {KNOWN_CUSTOMER}", answer, table)

    def similar_items(self) -> None:
        """Print the items similar to a product."""
        answer = self._get(f"/v1/items/{KNOWN_ITEM}/similar?limit={_LISTED}")
        self._print(f"Similar to {KNOWN_ITEM} {self._title(KNOWN_ITEM)}", answer, _list_of(answer))

    def placement_with_a_filter(self) -> None:
        """Print a place of the storefront with what a filter lets pass, for the same customer."""
        wanted = {"user_id": KNOWN_CUSTOMER, "filter": FILTER, "limit": _LISTED}
        answer = self._checked(self._api.post("/v1/placements/home:recommend", json=wanted))
        table = _table("item", "title", "price", "source")
        for item in answer["items"]:
            table.add_row(item["item_id"], item["title"], f"{item['price']:.2f}", item["source"])
        self._print(f"Customer {KNOWN_CUSTOMER}, placement home where {FILTER}", answer, table)

    def unknown_shopper_then_one_event(self) -> None:
        """Print how one event changes the recommendations of an unknown user."""
        shopper = f"visitor-{time.time_ns()}"
        before = self._recommendations(shopper)
        self._print("An unknown user", before, _list_of(before))
        event = {"user_id": shopper, "item_id": POSTED_ITEM, "event_type": "purchase"}
        self._checked(self._api.post("/v1/events", json={"events": [event]}))
        started = time.perf_counter()
        after = self._recommendations(shopper)
        took_ms = (time.perf_counter() - started) * 1000
        if after["source"] != "fold_in":
            raise StackError(f"the event did not change the answer: source {after['source']}")
        title = f"The same user after buying {POSTED_ITEM} {self._title(POSTED_ITEM)}"
        self._print(f"{title} (asked again at once, {took_ms:.0f} ms)", after, _list_of(after))

    def ways_in(self, seconds: float) -> None:
        """Print where to go from here."""
        settings = self._stack.settings
        rows = self._stack.status()
        memory = sum(row.rss_bytes for row in rows) / _MIB
        self._out.print(f"\nDone in {seconds:.0f} s; the stack uses {memory:,.0f} MiB.\n")
        self._out.print(f"API   {settings.url}   ({settings.https_url} with TLS)", soft_wrap=True)
        self._out.print(f"Docs  {settings.url}/docs", soft_wrap=True)
        self._out.print(f"Shop  {settings.shop_url}\n", soft_wrap=True)
        path = f"/v1/users/{KNOWN_CUSTOMER}/recommendations?limit=5"
        self._out.print(
            f"curl -H 'X-API-Key: {self._key}' '{settings.url}{path}'\n", soft_wrap=True
        )
        self._out.print("make status    shows the processes\nmake down      stops them all")

    def _await_model(self) -> None:
        """Answers name no version until the recommenders have loaded the published one."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            answer = self._api.get(f"/v1/users/{KNOWN_CUSTOMER}/recommendations")
            if answer.is_success and answer.json()["model_version"]:
                return
            if time.monotonic() > deadline:
                raise StackError(f"no model serves: {answer.text}")
            time.sleep(0.2)

    def _bought(self, user_id: str) -> list[str]:
        """The newest distinct purchases of a user, straight from HBase."""
        pool = HBasePool(self._stack.settings.hbase_thrift)
        try:
            events = HBaseInteractionStore(pool).history(DEMO_TENANT, user_id, limit=200)
        finally:
            pool.close()
        bought = dict.fromkeys(e.item_id for e in events if e.event_type == "purchase")
        return list(bought)[:_LISTED]

    def _recommendations(self, user_id: str) -> dict[str, Any]:
        return self._get(f"/v1/users/{quote(user_id, safe='')}/recommendations?limit={_LISTED}")

    def _title(self, item_id: str) -> str:
        return str(self._get(f"/v1/items/{quote(item_id, safe='')}").get("title") or "")

    def _get(self, path: str) -> dict[str, Any]:
        return self._checked(self._api.get(path))

    def _checked(self, answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise StackError(f"{answer.request.url} answered {answer.status_code}: {answer.text}")
        return dict(answer.json())

    def _print(self, title: str, answer: dict[str, Any], body: Table) -> None:
        self._out.print(f"\n[bold]{title}[/]")
        self._out.print(
            f"source {answer['source']}, model {answer['model_version']},"
            f" degraded {str(answer['degraded']).lower()}"
        )
        self._out.print(body)


def _table(*columns: str) -> Table:
    """Titles stay on one line, also in a log file."""
    table = Table(box=None, padding=(0, 3, 0, 0))
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ellipsis", max_width=44)
    return table


def _list_of(answer: dict[str, Any]) -> Table:
    table = _table("item", "title", "score")
    for item in answer["items"]:
        score = "" if item["score"] is None else f"{item['score']:.4g}"
        table.add_row(item["item_id"], item["title"], score)
    return table


def _line(entry: Sequence[str]) -> str:
    item_id, title = entry
    return f"{item_id:<7} {title}"
