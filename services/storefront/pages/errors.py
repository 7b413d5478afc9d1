"""Pages for what goes wrong: people read them, so they are pages of the shop, too."""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.storefront.api import ApiRefused, ApiUnavailable
from services.storefront.pages.rendering import render

_TITLES = {404: "Not found", 405: "Not possible here", 503: "Back in a moment"}
_OTHER = "That did not work"

_log = structlog.get_logger()


def add_error_pages(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(ApiUnavailable, _unavailable)
    app.add_exception_handler(ApiRefused, _refused)
    app.add_exception_handler(Exception, _failed)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # registered for nothing else
    page = _page(request, error.status_code, error.detail)
    page.headers.update(error.headers or {})
    if "GET" in page.headers.get("Allow", ""):
        # Every page that answers GET answers HEAD, see the application.
        page.headers["Allow"] += ", HEAD"
    return page


async def _unreadable(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return _page(request, 400, "This address cannot be read.")


async def _unavailable(request: Request, error: Exception) -> Response:  # noqa: ARG001
    page = _page(request, 503, "The shop's services do not respond. Please try again.")
    page.headers["Retry-After"] = "1"
    return page


async def _refused(request: Request, error: Exception) -> Response:
    return _page(request, 400, f"The recommender refused this: {error}.")


async def _failed(request: Request, error: Exception) -> Response:
    _log.error("page_failed", exc_info=error)
    return _page(request, 500, "This is our fault. The log of the storefront says more.")


def _page(request: Request, status: int, text: str) -> Response:
    title = _TITLES.get(status, _OTHER)
    return render(request, "error.html", status_code=status, title=title, text=text)
