"""The preset of Online Retail II: what becomes of its kinds of lines."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.config.shop import load_shop
from recsys.core.domain import Event
from recsys.core.errors import InvalidInput
from recsys.core.times import MAX_TIMESTAMP_MS
from recsys.importing.converted import Skipped
from recsys.importing.item_rows import ItemOptions, ItemReader
from recsys.importing.online_retail import (
    TIMES,
    OnlineRetailEvents,
    OnlineRetailItems,
    OnlineRetailReader,
)
from recsys.importing.plan import Reading, plan_events
from recsys.importing.presets import Preset
from recsys.importing.source import RawBatch
from recsys.importing.times import TimeReader


def line(**changes: Any) -> dict[str, Any]:
    return {
        "InvoiceNo": "489434",
        "StockCode": "85123A",
        "Description": "WHITE HEART",
        "Quantity": 6,
        "InvoiceDate": datetime(2009, 12, 1, 7, 45),
        "UnitPrice": 2.55,
        "CustomerID": 13085,
    } | changes


def event_of(values: dict[str, Any], convert: OnlineRetailEvents | None = None) -> Event:
    times = TimeReader(TIMES, MAX_TIMESTAMP_MS).read([values["InvoiceDate"]])
    return (convert or OnlineRetailEvents())(values, times, 0)


def test_a_line_is_a_purchase() -> None:
    assert event_of(line()) == Event(
        event_id="489434-1",
        user_id="13085",
        item_id="85123A",
        event_type="purchase",
        timestamp_ms=1_259_653_500_000,
        quantity=6,
        price=2.55,
        order_id="489434",
    )


@pytest.mark.parametrize("changes", [{"InvoiceNo": "C489434"}, {"Quantity": -6}])
def test_a_cancelled_line_is_a_return_of_so_many(changes: dict[str, Any]) -> None:
    event = event_of(line(**changes))

    assert (event.event_type, event.quantity) == ("return", 6)


def test_a_line_without_customer_is_a_guest_of_its_invoice() -> None:
    assert event_of(line(CustomerID=None)).user_id == "guest-489434"


def test_small_and_capital_letters_are_one_product() -> None:
    assert event_of(line(StockCode=" 85123a")).item_id == "85123A"


def test_lines_are_numbered_within_their_invoice_and_every_run_alike() -> None:
    rows = [line(), line(InvoiceNo="2"), line(StockCode="POST"), line()]

    def ids() -> Iterator[str]:
        convert = OnlineRetailEvents()
        for row in rows:
            try:
                yield event_of(row, convert).event_id
            except Skipped:
                yield "skipped"

    assert list(ids()) == list(ids()) == ["489434-1", "2-1", "skipped", "489434-3"]


@pytest.mark.parametrize(
    "code",
    ["POST", "M", "m", "C2", "D", "S", "ADJUST", "ADJUST2", "BANK CHARGES", "PADS", "DOT", "B",
     "TEST001", "AMAZONFEE", "CRUK", "GIFT", "gift_0001_10"],
)  # fmt: skip
def test_what_is_no_product_is_skipped_by_name(code: str) -> None:
    with pytest.raises(Skipped, match="no product"):
        event_of(line(StockCode=code))


@pytest.mark.parametrize("code", ["10002", "85123A", "47503J ", "DCGS0066N", "SP1002", "15056BL"])
def test_products_are_taken(code: str) -> None:
    assert event_of(line(StockCode=code)).item_id == code.strip()


def test_a_stock_correction_is_no_sale() -> None:
    with pytest.raises(Skipped, match="stock correction"):
        event_of(line(CustomerID=None, UnitPrice=0.0, Quantity=-40))


def test_a_gift_to_a_customer_is_a_purchase() -> None:
    assert event_of(line(UnitPrice=0.0)).price == 0


def test_a_line_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must be a number"):
        event_of(line(Quantity=None))
    with pytest.raises(InvalidInput, match="price"):
        event_of(line(UnitPrice=-1.0))


class Lines:
    """A source of these rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows
        self.size = len(rows)

    def columns(self) -> list[str]:
        return list(line())

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:
        columns = {name: [row[name] for row in self._rows] for name in self.columns()}
        lines = np.arange(1, self.size + 1)
        yield RawBatch(columns, lines, [], self.size, self._rows.__getitem__)


def items_of(*rows: dict[str, Any]) -> dict[str, tuple[str | None, float | None]]:
    source = OnlineRetailItems(Lines(list(rows)))
    reader = ItemReader(source.columns(), ItemOptions())
    found = [row for batch in source.batches() for row in reader.read(batch).records]
    items = [row.merged_into(None) for row in found]
    return {item.item_id: (item.title, item.price) for item in items}


def test_an_item_has_its_most_frequent_description_and_its_median_price() -> None:
    rows = [
        line(Description="damaged?"),
        line(Description="HEART ", UnitPrice=2.0),
        line(Description="HEART", UnitPrice=9.0),
        line(Description=None, UnitPrice=0.0),
        line(UnitPrice=100.0, InvoiceNo="C1", Quantity=-1),
        line(StockCode="POST"),
    ]

    assert items_of(*rows) == {"85123A": ("HEART", 2.55)}


def test_an_item_never_sold_with_a_price_has_none() -> None:
    assert items_of(line(UnitPrice=0.0, Description=None)) == {"85123A": (None, None)}


def test_times_are_read_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    whole = TimeReader.read

    def counted(reader: TimeReader, column: Any, clock: Any = None) -> Any:
        read.append(len(column))
        return whole(reader, column, clock)

    monkeypatch.setattr(TimeReader, "read", counted)
    rows = [line(InvoiceDate=datetime(2011, 1, 1 + day)) for day in range(20)] * 10
    rows.append(line(InvoiceDate="no time"))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    numbers = np.arange(1, 1 + len(rows), dtype=np.int64)
    reader = OnlineRetailReader(list(columns), load_shop().event_types, 2 * 10**12)

    found = reader.read(RawBatch(columns, numbers, [], 0, rows.__getitem__))

    assert read == [201]
    assert len(found.records) == 200
    assert [(bad.line, "timestamp" in bad.reason) for bad in found.bad] == [(201, True)]


class Store:
    """Takes events and notes whether their ids were given by others."""

    def __init__(self) -> None:
        self.ids_given: list[bool] = []

    def put_many(self, tenant: str, events: Iterable[Event], *, ids_given: bool) -> int:
        self.ids_given.append(ids_given)
        return len(list(events))


def test_ids_that_the_preset_makes_are_not_claimed_one_by_one(tmp_path: Path) -> None:
    path, store = tmp_path / "lines.parquet", Store()
    pq.write_table(pa.Table.from_pylist([line(), line(InvoiceNo="2")]), path)
    reading = Reading(path, preset=Preset.ONLINE_RETAIL)
    plan = plan_events(reading, "shop", store, load_shop().event_types, MAX_TIMESTAMP_MS)
    [batch] = plan.source.batches(plan.reader.columns.values())
    stored = plan.store(plan.reader.read(batch).records)
    assert (stored.new, stored.duplicate, store.ids_given) == (2, 0, [False])
