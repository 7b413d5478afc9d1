"""The API's page for people, made from its OpenAPI description alone, so that it works offline."""

import json
import shlex
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

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
<pre>{escape(_curl_example(base_url, method, path, operation))}</pre>
<pre>{escape(_response_example(document, operation))}</pre>
<ul>{_responses(operation)}</ul>
</details>"""


def _parameters(operation: dict[str, Any]) -> str:
    return "".join(
        f"<li><code>{escape(parameter['name'])}</code> ({parameter['in']}): "
        f"{escape(parameter.get('description', ''))}</li>"
        for parameter in operation.get("parameters", [])
    )


def _responses(operation: dict[str, Any]) -> str:
    return "".join(
        f"<li>{status}: {escape(response['description'])}</li>"
        for status, response in sorted(operation["responses"].items())
    )


def _curl_example(base_url: str, method: str, path: str, operation: dict[str, Any]) -> str:
    """A command line that works once the key is filled in."""
    words = ["curl"]
    if method != "GET":
        words += ["-X", method]
    if "security" in operation:
        words += ["-H", "X-API-Key: $RECSYS_KEY"]
    if "requestBody" in operation:
        example = operation["requestBody"]["content"]["application/json"]["example"]
        words += ["-H", "Content-Type: application/json", "-d", json.dumps(example)]
    # Double quotes let the shell fill the key in.
    line = shlex.join([*words, base_url + _filled(path, operation)])
    return line.replace("'X-API-Key: $RECSYS_KEY'", '"X-API-Key: $RECSYS_KEY"')


def _response_example(document: dict[str, Any], operation: dict[str, Any]) -> str:
    """The body of a good response, or nothing for a route that responds without one."""
    good = next(body for status, body in operation["responses"].items() if status.startswith("2"))
    schema = good.get("content", {}).get("application/json", {}).get("schema")
    if not schema:
        return ""
    model = schema["$ref"].rpartition("/")[2]
    example = document["components"]["schemas"][model]["examples"][0]
    return json.dumps(example, indent=2, ensure_ascii=False)


def _filled(path: str, operation: dict[str, Any]) -> str:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            example = parameter["schema"]["examples"][0]
            path = path.replace(f"{{{parameter['name']}}}", example)
    return path
