"""A product, with what is like it and what goes with it."""

import asyncio

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from recsys.clock import utc_now_ms
from recsys.core.domain import identifier_problem
from services.storefront.api import is_on_offer
from services.storefront.basket import MAX_QUANTITY, Via
from services.storefront.dependencies import dependencies_of
from services.storefront.pages.rendering import render
from services.storefront.shelves import Shelf, fill
from services.storefront.visit import visit_of

router = APIRouter()


@router.get("/shop/items/{item_id:path}")
async def product(request: Request, item_id: str, via: str = "") -> HTMLResponse:
    if identifier_problem(item_id):
        raise HTTPException(404, "There is no such product.")
    api = dependencies_of(request).api
    # Whom it is for says the variant of an experiment; the item, what is shown.
    about = {"item_id": item_id, "visitor_id": visit_of(request).user_id, "limit": 6}
    shelves = [
        Shelf("Goes well with it", {"placement": "basket", **about}),
        Shelf("Similar products", {"placement": "product_page", **about}),
    ]
    item, filled = await asyncio.gather(api.item(item_id), fill(api, shelves))
    if item is None:
        raise HTTPException(404, "There is no such product.")
    return render(
        request,
        "product.html",
        item=item,
        can_be_bought=is_on_offer(item, utc_now_ms()),
        shelves=filled,
        via=Via.read(via),
        max_quantity=MAX_QUANTITY,
    )
