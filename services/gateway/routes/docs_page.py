"""The API's page for people: Swagger UI, from files that come with the gateway."""

from pathlib import Path

import fastapi_swagger
from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

from services.gateway.schemas.problems import NOT_FOUND, ProblemError

router = APIRouter(include_in_schema=False)

# Nothing from elsewhere, and nothing inline: the page may hold a key while somebody tries requests.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# They change with a release only.
_FILE_HEADERS = _HEADERS | {"Cache-Control": "public, max-age=300"}

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Recommender API</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
"""
# Without a validator, which would be asked elsewhere.
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
"""

_RESOURCES = Path(fastapi_swagger.__file__).parent / "resources"
_MEDIA_TYPES = {
    "favicon-32x32.png": "image/png",
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}


@router.get("/docs")
async def docs() -> HTMLResponse:
    return HTMLResponse(_PAGE, headers=_HEADERS)


@router.get("/docs/start.js")
async def start() -> Response:
    return Response(_START, headers=_FILE_HEADERS, media_type="text/javascript")


@router.get("/docs/{name}")
async def file(name: str) -> Response:
    if name not in _MEDIA_TYPES:
        raise ProblemError(NOT_FOUND, "there is no such file; see /docs")
    # Read each time, which takes a millisecond: in memory they would take 2 MB of each gateway.
    body = (_RESOURCES / name).read_bytes()
    return Response(body, headers=_FILE_HEADERS, media_type=_MEDIA_TYPES[name])
