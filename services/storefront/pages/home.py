"""The first page: what a shopper sees depends on who they are."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from services.storefront.dependencies import dependencies_of
from services.storefront.pages.rendering import render
from services.storefront.shelves import Shelf, fill
from services.storefront.visit import visit_of

router = APIRouter()

_NOBODYS = Shelf("A good start", {"placement": "home", "limit": 12})
# What was looked at this week has a shelf of its own.
_FOR_YOU = Shelf("For you", {"placement": "home", "limit": 12, "exclude_seen_days": 7})
# Nothing fills that list up, but popular items stand in when no recommender responds.
_RECENT = Shelf(
    "Recently viewed", {"placement": "recently_viewed", "limit": 6}, only="recently_viewed"
)
_BUY_AGAIN = Shelf("Time for more", {"placement": "buy_again", "limit": 6}, only="buy_again")
_TRENDING = Shelf("Trending", {"placement": "trending", "limit": 6})
_BESTSELLERS = Shelf("Bestsellers", {"placement": "bestsellers", "limit": 6})


@router.get("/shop")
async def home(request: Request) -> HTMLResponse:
    user_id = visit_of(request).user_id
    # What fills up the list of repeated purchases is not shown, and would take viewed items away.
    own = [_FOR_YOU, _RECENT, _BUY_AGAIN] if user_id else [_NOBODYS]
    shelves = [*own, _TRENDING, _BESTSELLERS]
    filled = await fill(dependencies_of(request).api, shelves, user_id)
    return render(request, "home.html", shelves=filled)


@router.get("/shop/")
async def home_with_slash() -> RedirectResponse:
    return RedirectResponse("/shop", status_code=308)
