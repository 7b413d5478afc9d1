"""The application: headers of every answer, then the pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.storefront.dependencies import Dependencies
from services.storefront.pages import account, basket, home, listing, operator, product
from services.storefront.pages.errors import add_error_pages
from services.storefront.pages.rendering import FOLDER

_HEADERS = {
    # No inline script or style, nothing from elsewhere; the tracker calls the API beside the shop.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    # Each page is one shopper's, and the next one differs.
    "Cache-Control": "no-store",
}
_STATIC = "/shop/static"
# Styles and script change with a release only; a reload asks anew.
_STATIC_CACHE = "public, max-age=300"


def build_app(dependencies: Dependencies) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await dependencies.api.close()

    app = FastAPI(
        middleware=[Middleware(_Headers)],
        lifespan=lifespan,
        # Pages for people: there is nothing to describe to programs.
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.dependencies = dependencies
    add_error_pages(app)
    app.mount(_STATIC, StaticFiles(directory=FOLDER / "static"))
    app.add_api_route("/readyz", _ready)
    for pages in (home, listing, product, basket, account, operator):
        app.include_router(pages.router)
    return app


async def _ready() -> PlainTextResponse:
    """Pages come whatever the API does: they say what is missing."""
    return PlainTextResponse("ready")


class _Headers:
    """Send the headers of every answer, and answer HEAD as GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") == "HEAD":
            # Routed as the GET whose headers it asks for. A copy: the server leaves out the body
            # where its own scope says HEAD.
            scope = {**scope, "method": "GET"}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                if scope["path"].startswith(_STATIC) and message["status"] < 400:
                    headers["Cache-Control"] = _STATIC_CACHE
            await send(message)

        await self._app(scope, receive, send_with_headers)
