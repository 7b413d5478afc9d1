"""Departments and search: products by their titles, in the shopper's order."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from services.storefront.api import Api, ApiRefused, ApiUnavailable
from services.storefront.catalogue import Product
from services.storefront.departments import department_named
from services.storefront.dependencies import dependencies_of
from services.storefront.forms import read_count
from services.storefront.pages.rendering import render
from services.storefront.visit import visit_of

router = APIRouter()

_PER_PAGE = 24
_MAX_PAGE = 1000
_MAX_QUERY_CHARACTERS = 100

_log = structlog.get_logger()


@router.get("/shop/departments/{slug}")
async def department(request: Request, slug: str, page: str = "1") -> HTMLResponse:
    found = department_named(slug)
    if found is None:
        raise HTTPException(404, "There is no such department.")
    products = await dependencies_of(request).catalogue.products()
    mine = [product for product in products if found.has(product.title)]
    return await _listing(request, mine, page, found.title, department=found)


@router.get("/shop/search")
async def search(request: Request, q: str = "", page: str = "1") -> HTMLResponse:
    text = q.strip()
    if len(text) > _MAX_QUERY_CHARACTERS:
        raise HTTPException(400, f"Search for {_MAX_QUERY_CHARACTERS} characters at most.")
    found = await dependencies_of(request).catalogue.search(text) if text else []
    return await _listing(request, found, page, f"Search: {text}" if text else "Search", query=text)


async def _listing(
    request: Request, products: Sequence[Product], page: str, title: str, **values: Any
) -> HTMLResponse:
    number = read_count(page, _MAX_PAGE)
    api = dependencies_of(request).api
    ids = [product.item_id for product in products]
    ordered, order = await _in_order(api, ids, visit_of(request).user_id)
    shown = ordered[(number - 1) * _PER_PAGE : number * _PER_PAGE]
    if not shown and number > 1:
        raise HTTPException(404, "There is no such page.")
    return render(
        request,
        "listing.html",
        title=title,
        total=len(ordered),
        order=order,
        # Prices and stock as they are at this moment.
        items=await api.items(shown),
        page=number,
        has_next=len(ordered) > number * _PER_PAGE,
        **values,
    )


async def _in_order(
    api: Api, ids: list[str], user_id: str | None
) -> tuple[list[str], dict[str, object] | None]:
    """Put the first 500 in the order of a user; as they are for nobody, or where that fails."""
    if user_id is None or not ids:
        return ids, None
    try:
        answer = await api.rerank(ids, user_id)
    except (ApiUnavailable, ApiRefused) as error:
        _log.warning("not_reranked", reason=str(error))
        return ids, None
    reranked: list[str] = answer["item_ids"]
    return reranked + ids[len(reranked) :], answer
