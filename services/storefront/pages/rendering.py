"""HTML of a page: the templates, what all pages show, and reasons in a shopper's words."""

import time
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.templating import Jinja2Templates

from recsys.auth.session_tokens import sign_session
from services.storefront.departments import DEPARTMENTS, drawing_of
from services.storefront.dependencies import dependencies_of
from services.storefront.visit import visit_of

FOLDER = Path(__file__).parents[1]
# Longer than somebody leaves a page open and goes on with it; each page view has a new token.
_TOKEN_SECONDS = 3600

_WITH_SEEDS = {
    "because_you_bought": "Because you bought {}",
    "because_you_viewed": "Because you looked at {}",
    "bought_together": "Often bought with {}",
}
_PLAIN = {
    "similar_users": "Liked by shoppers like you",
    "similar_to_item": "Similar to this",
    "bought_together": "Often bought together",
    "pinned": "Picked by the shop",
    "popular": "Popular",
    "trending": "Trending",
    "new": "New in",
    "buy_again": "You may be running out of it",
    "recently_viewed": "You looked at it lately",
}


def reason_text(item: dict[str, Any]) -> str:
    """Say why an item of a list is there; an unknown code speaks for itself."""
    reason = item.get("reason") or {"code": item.get("source", ""), "seeds": []}
    code = str(reason["code"])
    # One says enough on a card.
    titles = [(seed["title"] or seed["item_id"]).lower() for seed in reason["seeds"][:1]]
    if titles and code in _WITH_SEEDS:
        return _WITH_SEEDS[code].format(titles[0])
    return _PLAIN.get(code, code.replace("_", " ").capitalize())


_TEMPLATES = Jinja2Templates(FOLDER / "templates")
_TEMPLATES.env.globals.update(
    departments=DEPARTMENTS, drawing_of=drawing_of, reason_text=reason_text
)


def render(request: Request, template: str, status_code: int = 200, **values: Any) -> HTMLResponse:
    """Fill a template in."""
    visit = visit_of(request)
    context = {"visit": visit, "tracker": _tracker(request), "path": _path(request), **values}
    return _TEMPLATES.TemplateResponse(request, template, context, status_code=status_code)


def _tracker(request: Request) -> dict[str, str] | None:
    """What the page's script needs to send events; None: it must not."""
    user_id = visit_of(request).tracked_user
    if user_id is None:
        return None
    keys = dependencies_of(request).keys
    token = sign_session(keys.session_secret, user_id, time.time() + _TOKEN_SECONDS)
    return {"user": user_id, "key": keys.public_key, "token": token}


def _path(request: Request) -> str:
    """Where a form that changes the visit leads back to."""
    if request.method != "GET":
        return "/shop"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
