"""Who visits, what they allow, and their basket: read from cookies that may be made up."""

import re
import secrets
from dataclasses import dataclass

from fastapi import Request, Response

from recsys.core.domain import identifier_problem
from services.storefront.basket import Basket, read_basket

_CONSENT, _VISITOR, _CUSTOMER, _BASKET = (
    "shop_consent",
    "shop_visitor",
    "shop_customer",
    "shop_basket",
)
_VISITOR_FORM = re.compile(r"visitor-[0-9a-f]{32}")
_SECONDS_KEPT = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Visit:
    """A shopper, as of one request.

    Attributes:
        consent: to events being sent; None: not asked yet.
        visitor_id: given with consent, for a shopper who is not signed in.
        customer_id: whom they signed in as; the demo asks for no password.
    """

    consent: bool | None
    visitor_id: str | None
    customer_id: str | None
    basket: Basket

    @property
    def user_id(self) -> str | None:
        """Whose recommendations are shown."""
        return self.customer_id or self.visitor_id

    @property
    def tracked_user(self) -> str | None:
        """Whose events are sent; None: no events are."""
        return self.user_id if self.consent else None


def visit_of(request: Request) -> Visit:
    """Read the cookies; what the shop cannot have written counts as not there."""
    cookies = request.cookies
    consent = {"yes": True, "no": False}.get(cookies.get(_CONSENT, ""))
    visitor = cookies.get(_VISITOR, "")
    known = bool(consent) and _VISITOR_FORM.fullmatch(visitor) is not None
    return Visit(
        consent,
        visitor if known else None,
        _read_customer(cookies.get(_CUSTOMER, "")),
        read_basket(cookies.get(_BASKET, "")),
    )


def keep_consent(request: Request, response: Response, consent: bool) -> None:
    """Note the answer, and give the visitor an id, or take it away."""
    _keep(request, response, _CONSENT, "yes" if consent else "no")
    if consent:
        # A second yes, as of another tab that asked too, is of the same visitor.
        visitor_id = visit_of(request).visitor_id or f"visitor-{secrets.token_hex(16)}"
        _keep(request, response, _VISITOR, visitor_id)
    else:
        _forget(response, _VISITOR)


def keep_customer(request: Request, response: Response, customer_id: str | None) -> None:
    """Sign in as a customer, or out."""
    if customer_id is None:
        _forget(response, _CUSTOMER)
    else:
        # Ids are of any script, cookies are not.
        _keep(request, response, _CUSTOMER, customer_id.encode().hex())


def keep_basket(request: Request, response: Response, basket: Basket) -> None:
    _keep(request, response, _BASKET, basket.to_cookie())


def _read_customer(cookie: str) -> str | None:
    try:
        customer_id = bytes.fromhex(cookie).decode()
    except ValueError:
        return None
    return customer_id if identifier_problem(customer_id) is None else None


def _keep(request: Request, response: Response, name: str, value: str) -> None:
    # Lax: a form of another site sends no cookies, so it changes nothing of a visit.
    response.set_cookie(
        name,
        value,
        max_age=_SECONDS_KEPT,
        path="/shop",
        httponly=True,
        samesite="lax",
        secure=request.headers.get("X-Forwarded-Proto") == "https",
    )


def _forget(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/shop", httponly=True, samesite="lax")
