"""Titles of the catalogue, which the demo shop lists by placements."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.storefront.api import Api, ApiUnavailable
from services.storefront.catalogue import Catalogue
from tests.clock import Clock
from tests.unit.services.storefront.stub_api import StubApi

_PAGE, _MOST = 100, 1000


class ListingApi(Api):
    """Lists made-up products by price as the API does: by the hundred, a thousand at most.

    Attributes:
        failing: whether it responds.
        lists: how many lists were begun.
    """

    def __init__(self, prices: list[float | None]) -> None:
        super().__init__(StubApi().client())
        self.prices = prices
        self.failing = False
        self.lists = 0

    async def recommend(self, placement: str, wanted: dict[str, Any]) -> dict[str, Any]:
        assert placement == "bestsellers"
        await asyncio.sleep(0)
        if self.failing:
            raise ApiUnavailable
        start = int(wanted.get("page_token", "0"))
        self.lists += start == 0
        found = list(self._passing(wanted["filter"]))[:_MOST]
        end = start + _PAGE
        return {
            "items": found[start:end],
            "next_page_token": str(end) if end < len(found) else "",
        }

    def _passing(self, condition: str) -> Iterator[dict[str, Any]]:
        bounds = re.fullmatch(r"price >= (\S+) AND price < (\S+)", condition)
        for number, price in enumerate(self.prices):
            if price is None:
                passes = condition == "price IS NULL"
            else:
                passes = bounds is not None and float(bounds[1]) <= price < float(bounds[2])
            if passes:
                yield {"item_id": f"{number}", "title": f"ITEM {number}", "price": price}


def ids(api: Api) -> list[str]:
    async def scenario() -> list[str]:
        return [product.item_id for product in await Catalogue(api).products()]

    return asyncio.run(scenario())


@pytest.mark.parametrize(
    "prices",
    [
        [],
        [None, 0.0, 0.99, 1.0, 5.0, 123456.0],
        [1 + n / 2000 for n in range(3500)],
        [float(n) for n in range(2500)],
        [n / 100 for n in range(1001)] + [None] * 7,
    ],
    ids=["none", "edges", "many of a price", "dear ones", "of all prices"],
)
def test_every_product_is_listed_once(prices: list[float | None]) -> None:
    found = ids(ListingApi(prices))
    assert len(found) == len(set(found)) == len(prices)


def test_more_products_of_one_price_than_a_list_has_end_there() -> None:
    assert len(ids(ListingApi([2.0] * 1500))) == _MOST


def test_it_is_listed_once_for_all_who_search_at_a_time_and_again_when_it_is_old() -> None:
    async def scenario() -> None:
        api, clock = ListingApi([1.0, 2.0]), Clock()
        catalogue = Catalogue(api, clock)
        await asyncio.gather(*(catalogue.products() for _ in range(5)))
        once = api.lists
        clock.now = 299
        await catalogue.products()
        assert api.lists == once
        clock.now = 301
        api.prices.append(3.0)
        assert len(await catalogue.products()) == 3
        assert api.lists == 2 * once

    asyncio.run(scenario())


def test_a_listing_that_failed_is_tried_again_by_the_next_search() -> None:
    async def scenario() -> None:
        api = ListingApi([1.0])
        catalogue = Catalogue(api)
        api.failing = True
        with pytest.raises(ApiUnavailable):
            await catalogue.search("item")
        api.failing = False
        assert [product.title for product in await catalogue.search("Item")] == ["ITEM 0"]

    asyncio.run(scenario())
