"""Preset for UCI Online Retail II (Chen, doi 10.24432/C5CG6D), the invoice lines of a gift shop.

Every line of a product becomes an event: a purchase, or a return when its invoice begins with C or
its quantity is negative. Lines without a customer are real baskets all the same; each such invoice
becomes a user of its own, `guest-<invoice>`. Times have no zone and are taken for UTC.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

from recsys.core.domain import Event
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.event_types import EventTypes, check_event
from recsys.importing.bulk_writer import STORE_ROWS
from recsys.importing.converted import Converted, Skipped, line_of
from recsys.importing.source import BadRow, RawBatch, RowReader
from recsys.importing.times import Moments, TimeOptions, TimeReader
from recsys.importing.values import is_missing, read_id, read_number, read_text

Values = Mapping[str, Any]

# The column of each value, as the data set's first and second edition name it.
_COLUMNS = {
    "InvoiceNo": ("InvoiceNo", "Invoice"),
    "StockCode": ("StockCode",),
    "Description": ("Description",),
    "Quantity": ("Quantity",),
    "InvoiceDate": ("InvoiceDate",),
    "UnitPrice": ("UnitPrice", "Price"),
    "CustomerID": ("CustomerID", "Customer ID"),
}
# Exports of the workbook write 12/1/2010 8:26, the month first.
TIMES = TimeOptions(month_first=True)
_ITEM_COLUMNS = ("item_id", "title", "price")
GUEST_PREFIX = "guest-"
# Everything else is no product: postage, discounts, fees, manual entries, vouchers, tests.
_PRODUCT_CODE = re.compile(r"\d{5}\S*|DCGS\w+|SP\d+")
_NO_PRODUCT = "no product: postage, discount, fee, voucher, manual or test entry"
_NO_SALE = "no sale: stock correction without customer and price"


@dataclass(frozen=True, slots=True)
class _Line:
    invoice: str
    stock_code: str
    quantity: float
    unit_price: float
    customer: str | None


def _read_line(values: Values) -> _Line:
    """
    Raises:
        InvalidInput: a value cannot be read.
        Skipped: the line is no sale of a product.
    """
    try:
        line = _Line(
            invoice=read_id(values["InvoiceNo"]),
            # The same product is written with capital and with small letters.
            stock_code=read_id(values["StockCode"]).upper(),
            quantity=read_number(values["Quantity"]),
            unit_price=read_number(values["UnitPrice"]),
            customer=None if is_missing(values["CustomerID"]) else read_id(values["CustomerID"]),
        )
    except ValueError as error:
        raise InvalidInput([FieldProblem("line", f"cannot be read: {error}")]) from error
    if not _PRODUCT_CODE.fullmatch(line.stock_code):
        raise Skipped(_NO_PRODUCT)
    if line.unit_price == 0 and line.customer is None:
        raise Skipped(_NO_SALE)
    return line


class OnlineRetailEvents:
    """Makes an event of each invoice line, in the order of the file.

    The event id is the invoice and the line's number in it, so a rerun makes the same ids.
    """

    def __init__(self) -> None:
        self._lines_of: defaultdict[str, int] = defaultdict(int)

    def __call__(self, values: Values, times: Moments, place: int) -> Event:
        """
        Args:
            times: of a batch of lines.
            place: of this line in it.

        Raises:
            InvalidInput: naming what is wrong.
            Skipped: the line is no sale of a product.
        """
        invoice = str(values["InvoiceNo"])
        self._lines_of[invoice] += 1
        line = _read_line(values)
        is_return = line.quantity < 0 or line.invoice.startswith("C")
        return Event(
            event_id=f"{line.invoice}-{self._lines_of[invoice]}",
            user_id=line.customer or GUEST_PREFIX + line.invoice,
            item_id=line.stock_code,
            event_type="return" if is_return else "purchase",
            timestamp_ms=_time_ms(times, place),
            quantity=abs(line.quantity),
            price=line.unit_price,
            order_id=line.invoice,
        )


def _time_ms(times: Moments, place: int) -> int:
    try:
        return times.at(place)
    except ValueError as error:
        raise InvalidInput([FieldProblem("timestamp", str(error))]) from error


class OnlineRetailReader:
    """Reads the batches of one file of events."""

    def __init__(self, columns: Sequence[str], event_types: EventTypes, now_ms: int) -> None:
        self._names = _named(columns)
        self._event_types, self._now_ms = event_types, now_ms
        self._times = TimeReader(TIMES, now_ms)
        self._convert = OnlineRetailEvents()
        # The ids of events are made of these.
        self.columns = {"event_id": self._names["InvoiceNo"], **self._names}
        self.unused = [column for column in columns if column not in self._names.values()]

    def read(self, batch: RawBatch) -> Converted[list[Event]]:
        events, bad, skipped = list[Event](), list(batch.bad), Counter[str]()
        times = self._times.read(batch.columns[self._names["InvoiceDate"]])
        for place, (line, values) in enumerate(_lines(batch, self._names)):
            try:
                event = self._convert(values, times, place)
                check_event(event, self._event_types, self._now_ms)
                events.append(event)
            except InvalidInput as error:
                bad.append(BadRow(line, str(error), values))
            except Skipped as reason:
                skipped[str(reason)] += 1
        rows = len(batch) + len(batch.bad)
        return Converted(events, sorted(bad, key=line_of), rows, skipped=skipped)


def missing_columns(columns: Sequence[str]) -> list[str]:
    """Columns of the data set that a file does not have in either edition."""
    return [name for name, names in _COLUMNS.items() if not set(names) & set(columns)]


def _named(columns: Sequence[str]) -> dict[str, str]:
    """The file's column of each of the data set's."""
    return {
        name: next(each for each in names if each in columns) for name, names in _COLUMNS.items()
    }


def _lines(batch: RawBatch, names: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, values in batch.rows():
        yield line, {name: values[column] for name, column in names.items()}


@dataclass(slots=True)
class _Product:
    descriptions: Counter[str] = field(default_factory=Counter)
    prices: list[float] = field(default_factory=list)

    def row(self, stock_code: str) -> dict[str, Any]:
        # Warehouse notes ("damaged") stand in the same column, but are never the most frequent.
        title = self.descriptions.most_common(1)
        return {
            "item_id": stock_code,
            "title": title[0][0] if title else None,
            "price": round(median(self.prices), 2) if self.prices else None,
        }


class OnlineRetailItems:
    """The catalogue that the invoice lines imply, as a source of one row an item.

    Title: the most frequent description. Price: the median unit price of its sales.
    """

    def __init__(self, invoices: RowReader) -> None:
        self._invoices = invoices
        self.size = invoices.size

    def columns(self) -> list[str]:
        return list(_ITEM_COLUMNS)

    def batches(self, wanted: Collection[str] | None = None) -> Iterator[RawBatch]:  # noqa: ARG002
        names = _named(self._invoices.columns())
        products: defaultdict[str, _Product] = defaultdict(_Product)
        for batch in self._invoices.batches():
            for _, values in _lines(batch, names):
                _note(products, values)
            yield _batch([], 0, batch.bad, batch.position)
        rows = [product.row(stock_code) for stock_code, product in sorted(products.items())]
        for start in range(0, len(rows), STORE_ROWS):
            yield _batch(rows[start : start + STORE_ROWS], start, [], self.size)


def _batch(rows: list[dict[str, Any]], start: int, bad: list[BadRow], position: int) -> RawBatch:
    columns = {name: [row[name] for row in rows] for name in _ITEM_COLUMNS}
    lines = np.arange(start + 1, start + 1 + len(rows), dtype=np.int64)
    return RawBatch(columns, lines, bad, position, rows.__getitem__)


def _note(products: defaultdict[str, _Product], values: Values) -> None:
    try:
        line = _read_line(values)
    except (InvalidInput, Skipped):
        return  # The import of the events reports these lines.
    product = products[line.stock_code]
    if not is_missing(values["Description"]):
        product.descriptions[read_text(values["Description"])] += 1
    if line.unit_price > 0 and line.quantity > 0:
        product.prices.append(line.unit_price)
