"""The first page: what a shopper sees depends on who they are."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from services.storefront.dependencies import dependencies_of
from services.storefront.pages.rendering import render
from services.storefront.shelves import Shelf, fill
from services.storefront.visit import visit_of

router = APIRouter()

_RECENT = Shelf("Recently viewed", {"placement": "recently_viewed", "limit": 6})
_TRENDING = Shelf("Trending", {"placement": "trending", "limit": 6})
_BESTSELLERS = Shelf("Bestsellers", {"placement": "bestsellers", "limit": 6})


@router.get("/shop")
async def home(request: Request) -> HTMLResponse:
    user_id = visit_of(request).user_id
    shelves = [
        Shelf("For you" if user_id else "A good start", {"placement": "home", "limit": 12}),
        *([_RECENT] if user_id else []),
        _TRENDING,
        _BESTSELLERS,
    ]
    filled = await fill(dependencies_of(request).api, shelves, user_id)
    return render(request, "home.html", shelves=filled)


@router.get("/shop/")
async def home_with_slash() -> RedirectResponse:
    return RedirectResponse("/shop", status_code=308)
