"""The application: what stands around every request, then the routes."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from services.gateway import (
    docs_page,
    event_routes,
    health_routes,
    item_routes,
    metrics_route,
    recommendation_routes,
)
from services.gateway.dependencies import Dependencies
from services.gateway.error_answers import add_error_answers
from services.gateway.hot_routes import HotRoutes
from services.gateway.openapi import described_by
from services.gateway.raw_path import RawPath
from services.gateway.request_context import RequestContext


def serving_app(parts: Dependencies) -> HotRoutes:
    """What a server runs: the REST API over these parts, its hot routes first."""
    return HotRoutes(build_app(parts), parts)


def build_app(parts: Dependencies) -> FastAPI:
    """The whole REST API over these parts."""
    app = FastAPI(
        # From the outermost inwards.
        middleware=[Middleware(RequestContext, parts.metrics.requests), Middleware(RawPath)],
        # FastAPI's own page loads its scripts from the internet; ours works without.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.parts = parts
    add_error_answers(app)
    app.include_router(recommendation_routes.router)
    app.include_router(event_routes.router)
    app.include_router(item_routes.router)
    app.include_router(health_routes.router)
    app.include_router(docs_page.router)
    app.include_router(metrics_route.router)
    app.openapi = described_by(app, parts.event_types)  # type: ignore[method-assign]  # FastAPI's documented way
    return app
