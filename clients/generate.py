"""Generate the clients' types from the API's description: `make clients`."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import FastAPI

from clients.node import run_script
from services.gateway.app import add_routes
from services.gateway.routes.openapi import describe

_FOLDER = Path(__file__).parent
_PACKAGE = _FOLDER / "python/recsys_client"
ASYNC_CLIENT = _PACKAGE / "async_client.py"
CLIENT = _PACKAGE / "client.py"
MODELS = _PACKAGE / "models.py"
TYPES = _FOLDER / "typescript/src/schema.ts"
TRACKER = _FOLDER.parent / "services/storefront/static/tracker.js"
_TRACKER_SOURCE = "Built from clients/typescript by `make clients`."

# Of FastAPI, or of routes that no client calls.
_LEFT_OUT = ("HTTPValidationError", "ValidationError", "Alive", "Ready", "Kind")
# What makes a type. Bounds and enumerations are left to the API: it says which field is at fault,
# and a client of today has to read what a newer server answers.
# An answer, which may have more fields one day; the gateway reads requests by it, too.
_OPEN = "Item"
_KEPT = (
    *("$ref", "type", "format", "description", "default", "required"),
    *("properties", "items", "anyOf", "additionalProperties"),
)

# From the client that awaits to the one that blocks; in this order.
_BLOCKING = (
    ("that awaits, and the source of the one that blocks", "that blocks: `make clients` makes it"),
    ("import asyncio\n", "import time\n"),
    ("asyncio.sleep", "time.sleep"),
    ("AsyncClient", "Client"),
    ("AsyncBaseTransport", "BaseTransport"),
    ("__aenter__", "__enter__"),
    ("__aexit__", "__exit__"),
    ("aclose", "close"),
    ("async def", "def"),
    ("await ", ""),
)

Schema = dict[str, Any]


def main() -> None:
    CLIENT.write_text(blocking_client(), "utf-8")
    schemas = client_schemas()
    write_models(schemas, MODELS)
    write_types(schemas, TYPES)
    write_tracker(TRACKER)


def client_schemas() -> Schema:
    """The schemas of requests and answers, by name, as far as they are types."""
    app = FastAPI()
    add_routes(app)
    schemas = describe(app, event_types=())["components"]["schemas"]
    found = {
        name: _type_of(schema) for name, schema in sorted(schemas.items()) if name not in _LEFT_OUT
    }
    del found[_OPEN]["additionalProperties"]
    return found


def _type_of(schema: Schema) -> Schema:
    found = {name: schema[name] for name in _KEPT if name in schema}
    if "properties" in found:
        found["properties"] = {name: _type_of(of) for name, of in schema["properties"].items()}
    if isinstance(found.get("additionalProperties"), dict):
        found["additionalProperties"] = _type_of(found["additionalProperties"])
    if "patternProperties" in schema:
        [found["additionalProperties"]] = map(_type_of, schema["patternProperties"].values())
    if "items" in found:
        found["items"] = _type_of(found["items"])
    if "anyOf" in found:
        return found | _one_of(found.pop("anyOf"))
    return found


def _one_of(alternatives: list[Schema]) -> Schema:
    """The alternatives that have a type; others stand for input that the API rejects."""
    typed = [_type_of(each) for each in alternatives if "type" in each or "$ref" in each]
    return typed[0] if len(typed) == 1 else {"anyOf": typed}


def write_models(schemas: Schema, target: Path) -> None:
    """Write the models of the Python client."""
    with TemporaryDirectory() as folder:
        source = _write_document(schemas, Path(folder))
        subprocess.run(  # noqa: S603 - a tool of our own environment
            [
                *(sys.executable, "-m", "datamodel_code_generator"),
                *("--input", source, "--input-file-type", "openapi", "--output", target),
                *("--output-model-type", "pydantic_v2.BaseModel"),
                *("--target-python-version", "3.11"),
                *("--output-datetime-class", "AwareDatetime"),
                *("--use-annotated", "--use-standard-collections", "--use-union-operator"),
                *("--use-schema-description", "--use-field-description"),
                *("--strict-nullable", "--use-single-line-docstring", "--disable-timestamp"),
                *("--collapse-root-models", "--formatters", "ruff-format"),
                *("--custom-file-header", '"""Generated from the API\'s description."""'),
            ],
            check=True,
        )


def write_types(schemas: Schema, target: Path) -> None:
    """Write the types of the TypeScript client."""
    with TemporaryDirectory() as folder:
        source = _write_document(schemas, Path(folder))
        options = ("--default-non-nullable=false", "--root-types", "--root-types-no-schema-prefix")
        run_script("schema", source, "--output", target, *options)


def write_tracker(target: Path) -> None:
    """Write the tracker as the one file that a page needs."""
    run_script("bundle", f"--outfile={target}", f"--banner:js=// {_TRACKER_SOURCE}")


def _write_document(schemas: Schema, folder: Path) -> Path:
    info = {"title": "Recommender", "version": "1"}
    document = {"openapi": "3.1.0", "info": info, "paths": {}, "components": {"schemas": schemas}}
    path = folder / "openapi.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def blocking_client() -> str:
    """Write the client that blocks, so that both have the same methods."""
    text = ASYNC_CLIENT.read_text("utf-8")
    for awaiting, blocking in _BLOCKING:
        text = text.replace(awaiting, blocking)
    return text


if __name__ == "__main__":
    main()
