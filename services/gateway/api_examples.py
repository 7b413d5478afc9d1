"""Examples of calls, as text, out of an OpenAPI description."""

import json
import shlex
from typing import Any


def curl_example(base_url: str, method: str, path: str, operation: dict[str, Any]) -> str:
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


def answer_example(document: dict[str, Any], operation: dict[str, Any]) -> str:
    """The body of a good answer, or nothing for a route that answers without one."""
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
