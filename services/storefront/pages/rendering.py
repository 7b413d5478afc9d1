"""HTML of a page: the templates, and what all pages show."""

import time
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.templating import Jinja2Templates

from recsys.auth.session_tokens import sign_session
from services.storefront.departments import DEPARTMENTS, drawing_of
from services.storefront.dependencies import dependencies_of
from services.storefront.reasons import reason_text
from services.storefront.visit import visit_of

FOLDER = Path(__file__).parents[1]
# Longer than somebody leaves a page open and goes on with it; each page view has a new token.
_TOKEN_SECONDS = 3600

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
