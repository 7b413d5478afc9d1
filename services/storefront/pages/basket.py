"""The basket and the checkout."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from recsys.clock import utc_now_ms
from services.storefront.api import Api, Json, is_on_offer
from services.storefront.basket import MAX_QUANTITY, Basket, BasketFull, Line, Via
from services.storefront.dependencies import dependencies_of
from services.storefront.forms import read_count, read_form, read_id
from services.storefront.pages.rendering import render
from services.storefront.shelves import Shelf, fill
from services.storefront.visit import keep_basket, visit_of

router = APIRouter()


@dataclass(frozen=True, slots=True)
class _PricedLine:
    """A line of the basket with the item as the catalogue has it now.

    Attributes:
        is_on_offer: false when it is sold out, hidden or gone by now; it is kept, and not ordered.
    """

    line: Line
    item: Json
    is_on_offer: bool

    @property
    def total(self) -> Decimal:
        # As the price is written: cents must add up.
        return Decimal(str(self.item["price"] or 0)) * self.line.quantity


@router.get("/shop/basket")
async def basket(request: Request) -> HTMLResponse:
    api, visit = dependencies_of(request).api, visit_of(request)
    lines = visit.basket
    filled = []
    if lines.lines:
        wanted = {
            "placement": "basket",
            "session_item_ids": list(lines.lines),
            "visitor_id": visit.user_id,
            "limit": 6,
        }
        filled = await fill(api, [Shelf("Goes well with your basket", wanted)]) or []
    priced = await _priced(api, lines)
    ordered = _on_offer(priced)
    return render(
        request,
        "basket.html",
        lines=priced,
        total=_total(ordered),
        has_order=bool(ordered),
        shelves=filled,
    )


@router.post("/shop/basket")
async def add(request: Request) -> RedirectResponse:
    fields = await read_form(request)
    item_id = read_id(fields, "item_id")
    quantity = read_count(fields.get("quantity", "1"), MAX_QUANTITY)
    item = await dependencies_of(request).api.item(item_id)
    if item is None or not is_on_offer(item, utc_now_ms()):
        raise HTTPException(404, "This product is not on offer.")
    line = Line(item_id, quantity, Via.read(fields.get("via", "")))
    try:
        return _changed(request, visit_of(request).basket.with_added(line))
    except BasketFull as error:
        raise HTTPException(400, str(error)) from None


@router.post("/shop/basket/remove")
async def remove(request: Request) -> RedirectResponse:
    item_id = read_id(await read_form(request), "item_id")
    return _changed(request, visit_of(request).basket.without(item_id))


@router.get("/shop/checkout")
async def checkout(request: Request) -> HTMLResponse:
    basket = visit_of(request).basket
    return _checkout(request, _on_offer(await _priced(dependencies_of(request).api, basket)))


@router.post("/shop/checkout")
async def order(request: Request) -> Response:
    """Record the purchases of one order, then take them out of the basket: not while that fails."""
    fields = await read_form(request)
    order_id = read_id(fields, "order_id")
    visit, api = visit_of(request), dependencies_of(request).api
    priced = _on_offer(await _priced(api, visit.basket))
    if not priced:
        raise HTTPException(400, "There is nothing in your basket that is on offer.")
    if fields.get("lines") != _digest(priced):
        return _checkout(request, priced, has_changed=True)
    if visit.tracked_user is not None:
        await api.record(_purchases(visit.tracked_user, order_id, priced))
    answer = RedirectResponse("/shop/thanks", status_code=303)
    left = visit.basket.without(*(each.line.item_id for each in priced))
    keep_basket(request, answer, left)
    return answer


@router.get("/shop/thanks")
async def thanks(request: Request) -> HTMLResponse:
    user_id = visit_of(request).user_id
    wanted = {"placement": "home", "limit": 6}
    filled = await fill(dependencies_of(request).api, [Shelf("Your next find", wanted)], user_id)
    return render(request, "thanks.html", shelves=filled)


def _checkout(
    request: Request, lines: Sequence[_PricedLine], *, has_changed: bool = False
) -> HTMLResponse:
    """The page of an order.

    Args:
        has_changed: whether the shopper wanted to order what an earlier page had shown.
    """
    return render(
        request,
        "checkout.html",
        409 if has_changed else 200,
        lines=lines,
        total=_total(lines),
        # Sent with the order: an order that is sent twice counts once.
        order_id=f"shop-{secrets.token_hex(8)}",
        digest=_digest(lines),
        has_changed=has_changed,
    )


def _digest(lines: Sequence[_PricedLine]) -> str:
    """Tell an order from one of other lines, or at other prices."""
    shown = [(each.line.item_id, each.line.quantity, each.item["price"]) for each in lines]
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def _changed(request: Request, changed: Basket) -> RedirectResponse:
    answer = RedirectResponse("/shop/basket", status_code=303)
    keep_basket(request, answer, changed)
    return answer


async def _priced(api: Api, basket: Basket) -> list[_PricedLine]:
    """Read what is in the basket."""
    items = {item["item_id"]: item for item in await api.items(basket.lines)}
    now_ms = utc_now_ms()
    return [
        _PricedLine(line, item, is_on_offer(item, now_ms))
        if (item := items.get(line.item_id))
        else _PricedLine(line, {"item_id": line.item_id, "title": None, "price": None}, False)
        for line in basket
    ]


def _on_offer(lines: Sequence[_PricedLine]) -> list[_PricedLine]:
    return [each for each in lines if each.is_on_offer]


def _total(lines: Sequence[_PricedLine]) -> Decimal:
    return sum((each.total for each in lines), Decimal())


def _purchases(user_id: str, order_id: str, lines: Sequence[_PricedLine]) -> list[Json]:
    return [
        {
            "event_id": f"{order_id}-{number}",
            "user_id": user_id,
            "item_id": each.line.item_id,
            "event_type": "purchase",
            "quantity": each.line.quantity,
            "price": each.item["price"],
            "order_id": order_id,
            "context": each.line.via.context() if each.line.via else {},
        }
        for number, each in enumerate(lines, start=1)
    ]
