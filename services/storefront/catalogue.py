"""Titles of the whole catalogue, for search and departments.

The API has no list of all items, since a shop knows its own catalogue. This one has none of its
own: it asks for what is popular, by price, which lists every item that may be shown. Prices and
stock on pages are read afresh.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from recsys.core.limits import MAX_LIMIT
from services.storefront.api import Api

_PLACEMENT = "bestsellers"
# New titles are found by search this much later; listing some thousand takes a second.
_FRESH_SECONDS = 300.0
# The pages of one list end here; a range of prices that has more is split.
_MAX_LISTED = 1000
# Where ranges begin and end, for a shop of gifts; dearer than the last one is nothing.
_PRICES = (0.0, 1.0, 1.5, 2.5, 5.0, 1e9)


@dataclass(frozen=True, slots=True)
class Product:
    """An item as search finds it."""

    item_id: str
    title: str
    price: float | None

    @property
    def words(self) -> str:
        return self.title.lower()


class Catalogue:
    """All products that may be shown, the most popular first within each range of prices.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, api: Api, clock: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._clock = clock
        self._products: list[Product] = []
        self._stale_at = 0.0
        self._listing = asyncio.Lock()

    async def products(self) -> list[Product]:
        """List them, at most five minutes old.

        Raises:
            ApiUnavailable, ApiRefused
        """
        async with self._listing:
            if not self._products or self._clock() >= self._stale_at:
                self._products = await self._list_all()
                self._stale_at = self._clock() + _FRESH_SECONDS
            return self._products

    async def search(self, text: str) -> list[Product]:
        """Find the products that have all words of a text in their titles, or it as their id.

        Raises:
            ApiUnavailable, ApiRefused
        """
        wanted = text.lower().split()
        return [
            product
            for product in await self.products()
            if all(word in product.words for word in wanted)
            or product.item_id.lower() == text.strip().lower()
        ]

    async def _list_all(self) -> list[Product]:
        unpriced = await self._list("price IS NULL")
        ranges = [await self._list_range(low, high) for low, high in pairwise(_PRICES)]
        return [product for products in (*ranges, unpriced) for product in products]

    async def _list_range(self, low: float, high: float) -> list[Product]:
        products = await self._list(f"price >= {low:.9g} AND price < {high:.9g}")
        middle = median([product.price or 0.0 for product in products] or [low])
        if len(products) < _MAX_LISTED or not low < middle < high:
            return products
        return [*await self._list_range(low, middle), *await self._list_range(middle, high)]

    async def _list(self, condition: str) -> list[Product]:
        products: list[Product] = []
        page: dict[str, Any] = {"filter": condition, "limit": MAX_LIMIT, "explain": False}
        while True:
            answer = await self._api.recommend(_PLACEMENT, page)
            products += [
                Product(item["item_id"], item["title"] or item["item_id"], item["price"])
                for item in answer["items"]
            ]
            if not answer["next_page_token"]:
                return products
            page = {**page, "page_token": answer["next_page_token"]}
