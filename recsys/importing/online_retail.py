"""Preset for UCI Online Retail II (Chen, doi 10.24432/C5CG6D), the invoice lines of a gift shop.

Every line of a product becomes an event: a purchase, or a return when its invoice begins with C or
its quantity is negative. Lines without a customer are real baskets all the same; each such invoice
becomes a user of its own, `guest-<invoice>`. Times have no zone and are taken for UTC.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from recsys.core.domain import Event
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.times import read_file_time_ms
from recsys.importing.convert import Skipped, Values
from recsys.importing.source import BATCH_ROWS, Batch, RowReader, SourceRow
from recsys.importing.values import is_missing, read_number, read_text

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
)
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
            invoice=read_text(values["InvoiceNo"]),
            # The same product is written with capital and with small letters.
            stock_code=read_text(values["StockCode"]).upper(),
            quantity=read_number(values["Quantity"]),
            unit_price=read_number(values["UnitPrice"]),
            customer=None if is_missing(values["CustomerID"]) else read_text(values["CustomerID"]),
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

    def __call__(self, values: Values) -> Event:
        """
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
            timestamp_ms=read_file_time_ms(values["InvoiceDate"]),
            quantity=abs(line.quantity),
            price=line.unit_price,
            order_id=line.invoice,
        )


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
        return ["item_id", "title", "price"]

    def batches(self) -> Iterator[Batch]:
        products: defaultdict[str, _Product] = defaultdict(_Product)
        for batch in self._invoices.batches():
            for row in batch.rows:
                _note(products, row.values)
            yield Batch([], batch.bad, batch.position)
        rows = [
            SourceRow(number, product.row(stock_code))
            for number, (stock_code, product) in enumerate(sorted(products.items()), start=1)
        ]
        for start in range(0, len(rows), BATCH_ROWS):
            yield Batch(rows[start : start + BATCH_ROWS], [], self.size)


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
