"""Consent, and signing in as a customer of the demo's data."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from services.storefront.forms import own_path, read_form, read_id
from services.storefront.pages.rendering import render
from services.storefront.visit import keep_consent, keep_customer

router = APIRouter()

# Of Online Retail II, with histories of different kinds.
_CUSTOMERS = {
    "12356": "a few large orders",
    "17850": "the same things again and again",
    "14911": "orders of everything, each week",
    "13089": "a shop's stock",
    "12748": "hundreds of small baskets",
    "15311": "two years, every other week",
}


@router.post("/shop/consent")
async def consent(request: Request) -> RedirectResponse:
    fields = await read_form(request)
    if fields.get("answer") not in ("yes", "no"):
        raise HTTPException(400, "Say yes or no.")
    answer = RedirectResponse(own_path(fields.get("next", "")), status_code=303)
    keep_consent(request, answer, fields["answer"] == "yes")
    return answer


@router.get("/shop/sign-in")
async def sign_in_page(request: Request) -> HTMLResponse:
    return render(request, "sign_in.html", customers=_CUSTOMERS)


@router.post("/shop/sign-in")
async def sign_in(request: Request) -> RedirectResponse:
    customer_id = read_id(await read_form(request), "customer_id")
    answer = RedirectResponse("/shop", status_code=303)
    keep_customer(request, answer, customer_id)
    return answer


@router.post("/shop/sign-out")
async def sign_out(request: Request) -> RedirectResponse:
    answer = RedirectResponse("/shop", status_code=303)
    keep_customer(request, answer, None)
    return answer
