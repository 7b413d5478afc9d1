"""The application: what stands around every request, then the routes."""

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from services.gateway.dependencies import Dependencies
from services.gateway.fast_path.middleware import FastPath
from services.gateway.http.cors import Cors
from services.gateway.http.error_responses import add_error_responses
from services.gateway.http.raw_path import RawPath
from services.gateway.http.request_context import RequestContext
from services.gateway.routes import (
    docs_page,
    events,
    items,
    operations,
    pages,
    placements,
    recommendations,
    reports,
    rerank,
    users,
)
from services.gateway.routes.openapi import described_by


def serving_app(dependencies: Dependencies) -> ASGIApp:
    """Build what a server runs: the REST API over these dependencies, its fast path first."""
    answering = FastPath(build_app(dependencies), dependencies)
    return Cors(answering, dependencies.allowed_origins_of)


def build_app(dependencies: Dependencies) -> FastAPI:
    """The whole REST API over these dependencies."""
    app = FastAPI(
        # From the outermost inwards.
        middleware=[Middleware(RequestContext, dependencies.metrics.requests), Middleware(RawPath)],
        # FastAPI's own page loads its scripts from the internet; ours works without.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.dependencies = dependencies
    add_error_responses(app)
    add_routes(app)
    app.include_router(docs_page.router)
    app.openapi = described_by(app, dependencies.event_types)  # type: ignore[method-assign]  # FastAPI's documented way
    return app


def add_routes(app: FastAPI) -> None:
    """Everything that the API's description names."""
    for routes in (
        *(recommendations, placements, pages, rerank),
        *(events, items, users, reports, operations),
    ):
        app.include_router(routes.router)
