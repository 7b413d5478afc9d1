"""The description of the API, and that it is true."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from recsys.auth.access import PUBLIC_ROUTES, ROUTE_SCOPES
from services.gateway.schemas.problems import PROBLEM_TYPES
from tests.builders import EVENT_TYPES
from tests.unit.services.gateway.asgi_client import Client


@pytest.fixture
def document(api: Client) -> dict[str, Any]:
    document: dict[str, Any] = api.get("/openapi.json").json
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def check(document: dict[str, Any], schema: dict[str, Any], example: object) -> None:
    whole = {**schema, "components": document["components"]}
    Draft202012Validator(whole).validate(example)


def test_every_route_is_described(document: dict[str, Any]) -> None:
    assert {name for name, _ in operations(document)} == {
        "POST /v1/events",
        "POST /v1/users:merge",
        "DELETE /v1/users/{user_id}",
        "GET /v1/users/{user_id}",
        "PUT /v1/users/{user_id}",
        "PATCH /v1/users/{user_id}",
        "POST /v1/items:batchUpsert",
        "GET /v1/items/{item_id}",
        "PUT /v1/items/{item_id}",
        "PATCH /v1/items/{item_id}",
        "DELETE /v1/items/{item_id}",
        "GET /v1/items/{item_id}/similar",
        "GET /v1/users/{user_id}/recommendations",
        "GET /v1/recommendations",
        "POST /v1/placements/{placement}:recommend",
        "POST /v1/placements:recommend",
        "POST /v1/items:rerank",
        "GET /v1/reports/experiments",
        "GET /livez",
        "GET /readyz",
        "GET /problems/{name}",
    }


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    for reference in references(document):
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", []):
            check(document, schema, example)
    for _, operation in operations(document):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (c for body in bodies for c in body.get("content", {}).values()):
            if "example" in content:
                check(document, content["schema"], content["example"])


def test_routes_with_a_key_say_so_and_what_can_go_wrong(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if "/v1/" not in name:
            continue
        scopes = [ROUTE_SCOPES[name].value]
        public = [{"ApiKey": scopes, "SessionToken": []}] * (name in PUBLIC_ROUTES)
        assert operation["security"] == [{"ApiKey": scopes}, *public]
        assert {"401", "403", "422", "429", "500", "502", "503", "504"} <= set(
            operation["responses"]
        )
        if "requestBody" in operation:
            assert {"400", "408", "413", "415"} <= set(operation["responses"])


def test_every_good_answer_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        if not name.startswith("DELETE"):
            reference = operation["responses"]["200"]["content"]["application/json"]["schema"]
            model = reference["$ref"].rpartition("/")[2]
            assert document["components"]["schemas"][model]["examples"]


def test_answers_are_as_described(document: dict[str, Any], api: Client) -> None:
    schemas = document["components"]["schemas"]
    answers = {
        "UserRecommendations": api.get("/v1/users/ann/recommendations"),
        "SimilarItems": api.get("/v1/items/lamp/similar"),
        "ProblemDetails": api.get("/v1/users/ann/recommendations?limit=0"),
        "Item": api.send("PUT", "/v1/items/described", b"{}"),
        "EventsAnswer": api.post(
            "/v1/events",
            {"events": [{"user_id": "a", "item_id": "b", "event_type": "view"}, {}]},
        ),
    }
    for model, answer in answers.items():
        check(document, schemas[model], answer.json)


def test_the_types_of_event_are_those_of_the_shop(document: dict[str, Any]) -> None:
    event = document["components"]["schemas"]["Event"]
    assert event["properties"]["event_type"]["enum"] == sorted(EVENT_TYPES)


@pytest.mark.parametrize("model", ["ItemFields", "ItemChanges"])
def test_the_id_of_an_item_is_not_in_its_body(document: dict[str, Any], model: str) -> None:
    schema = document["components"]["schemas"][model]
    assert "item_id" not in schema["properties"]
    assert schema["additionalProperties"] is False


def test_every_text_number_and_list_of_a_request_has_its_bounds(document: dict[str, Any]) -> None:
    def unbounded(node: Any, path: str) -> Iterator[str]:
        if isinstance(node, dict):
            kind = node.get("type")
            wanted = {"string": "maxLength", "array": "maxItems", "integer": "maximum"}.get(kind)
            if wanted and not {wanted, "enum", "const", "format"} & set(node):
                yield path
            for name, value in node.items():
                yield from unbounded(value, f"{path}.{name}")
        elif isinstance(node, list):
            for value in node:
                yield from unbounded(value, path)

    schemas = document["components"]["schemas"]
    described = {
        # Sentences of ours, and what a model version is called.
        name: schema
        for name, schema in schemas.items()
        if name in ("Event", "EventBatch", "ItemFields", "ItemChanges", "Item", "EventsAnswer")
    }
    parameters = [
        parameter["schema"]
        for name, operation in operations(document)
        if "/v1/" in name
        for parameter in operation.get("parameters", [])
    ]
    assert list(unbounded([described, parameters], "")) == []


VIEW = {"user_id": "a", "item_id": "b", "event_type": "view"}
BATCHES: list[tuple[object, bool]] = [
    ([{"user_id": "a", "item_id": "b", "event_type": "view"}], True),
    ([{"user_id": "a", "item_id": "b", "event_type": "view"}, 7], True),
    ([{"user_id": "a", "item_id": "b", "event_type": "teleport"}], False),
    ([{"user_id": "a\0", "item_id": "b", "event_type": "view"}], False),
    ([{"user_id": "a" * 257, "item_id": "b", "event_type": "view"}], False),
    (
        [
            {
                "user_id": "a",
                "item_id": "b",
                "event_type": "view",
                "timestamp": "1969-12-31T23:59:59Z",
            }
        ],
        False,
    ),
    (
        [
            {
                "user_id": "a",
                "item_id": "b",
                "event_type": "view",
                "timestamp": "2011-12-09T12:50:00Z",
            }
        ],
        True,
    ),
    ([VIEW | {"context": {"placement": "home", "variant_2.b": "Größe ü"}}], True),
    ([VIEW | {"context": {"a b": "home"}}], False),
    ([VIEW | {"context": {"k" * 65: "home"}}], False),
    ([VIEW | {"context": {"placement": "x" * 257}}], False),
    ([VIEW | {"context": {"placement": "a\0"}}], False),
    ([VIEW | {"context": {"placement": 1}}], False),
    ([VIEW | {"context": {f"k{n}": "" for n in range(21)}}], False),
    ([VIEW | {"context": ["home"]}], False),
    ([], False),
]


@pytest.mark.parametrize(("events", "taken"), BATCHES)
def test_a_batch_is_taken_exactly_when_it_fits_the_schema(
    document: dict[str, Any], api: Client, events: object, taken: bool
) -> None:
    whole = {
        **document["components"]["schemas"]["EventBatch"],
        "components": document["components"],
    }
    assert Draft202012Validator(whole).is_valid({"events": events}) is taken
    assert (api.post("/v1/events", {"events": events}).status == 200) is taken


ITEMS: list[tuple[object, bool]] = [
    ({}, True),
    ({"title": "a\N{LATIN SMALL LETTER E WITH ACUTE}", "brand": None, "categories": ["c"]}, True),
    ({"title": "a\nb"}, False),
    ({"title": "x" * 1001}, False),
    ({"categories": ["c"] * 51}, False),
    ({"categories": [""]}, False),
    ({"attributes": {"a": "x" * 1000, "b": 1.5, "c": True}}, True),
    ({"attributes": {"a": "x" * 1001}}, False),
    ({"attributes": {"a\0": 1}}, False),
    ({"attributes": {str(n): n for n in range(101)}}, False),
    ({"price": -1}, False),
    ({"item_id": "described"}, False),
]


@pytest.mark.parametrize(("fields", "taken"), ITEMS)
@pytest.mark.parametrize(("method", "model"), [("PUT", "ItemFields"), ("PATCH", "ItemChanges")])
def test_an_item_is_taken_exactly_when_it_fits_the_schema(
    document: dict[str, Any],
    api: Client,
    method: str,
    model: str,
    fields: dict[str, object],
    taken: bool,
) -> None:
    api.send("PUT", "/v1/items/described", b"{}")
    # A patch of nothing is none.
    expected = taken and (method == "PUT" or fields != {})
    whole = {**document["components"]["schemas"][model], "components": document["components"]}
    assert Draft202012Validator(whole).is_valid(fields) is expected
    answer = api.send(method, "/v1/items/described", json.dumps(fields).encode())
    assert (answer.status == 200) is expected


def test_the_page_for_people_needs_nothing_from_elsewhere(api: Client) -> None:
    answer = api.get("/docs")
    assert answer.status == 200
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; script-src 'self';"
    )
    links = re.findall(r'(?:src|href)="([^"]+)"', answer.body.decode())
    assert len(links) == 4
    for link in links:
        file = api.get(f"/{link}")
        assert file.status == 200
        assert file.headers["content-security-policy"]
    assert api.get("/docs/main.py").status == 404


@pytest.mark.parametrize("kind", PROBLEM_TYPES, ids=lambda kind: kind.name)
def test_the_type_of_a_problem_leads_to_its_description(api: Client, kind: Any) -> None:
    assert api.get(kind.uri).json == {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
    }


def test_every_route_has_a_scope_or_is_for_all(document: dict[str, Any]) -> None:
    paths = document["paths"]
    described = {
        f"{method.upper()} {path}"
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "security" in operation
    }
    assert described == ROUTE_SCOPES.keys()
    open_to_all = {path for path in paths if not path.startswith("/v1/")}
    assert open_to_all == {"/livez", "/readyz", "/problems/{name}"}
