"""The API's page for people, made from its OpenAPI description alone, so that it works offline."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from services.gateway.api_examples import answer_example, curl_example

router = APIRouter(include_in_schema=False)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
details { border: 1px solid #ccc; border-radius: 6px; margin: .5rem 0; padding: .5rem 1rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; }
pre { background: #f4f4f4; padding: .75rem; overflow-x: auto; }
"""


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    return HTMLResponse(render(request.app.openapi(), str(request.base_url).rstrip("/")))


def render(document: dict[str, Any], base_url: str) -> str:
    """The whole page: one foldable section an operation."""
    info = document["info"]
    sections = "\n".join(
        _section(document, base_url, method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{escape(info["title"])} API</title>
<style>{_STYLE}</style>
<h1>{escape(info["title"])} API {escape(info["version"])}</h1>
<p>{escape(info["summary"])} {escape(info["description"])}
The same for machines: <a href="openapi.json">openapi.json</a>.</p>
{sections}
</html>
"""


def _section(
    document: dict[str, Any], base_url: str, method: str, path: str, operation: dict[str, Any]
) -> str:
    return f"""<details>
<summary><b>{method}</b> <code>{escape(path)}</code> {escape(operation["summary"])}</summary>
<p>{escape(operation.get("description", ""))}</p>
<ul>{_parameters(operation)}</ul>
<pre>{escape(curl_example(base_url, method, path, operation))}</pre>
<pre>{escape(answer_example(document, operation))}</pre>
<ul>{_answers(operation)}</ul>
</details>"""


def _parameters(operation: dict[str, Any]) -> str:
    return "".join(
        f"<li><code>{escape(parameter['name'])}</code> ({parameter['in']}): "
        f"{escape(parameter.get('description', ''))}</li>"
        for parameter in operation.get("parameters", [])
    )


def _answers(operation: dict[str, Any]) -> str:
    return "".join(
        f"<li>{status}: {escape(response['description'])}</li>"
        for status, response in sorted(operation["responses"].items())
    )
