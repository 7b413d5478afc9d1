from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from services.gateway.problems import PROBLEM_TYPES
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
        "GET /v1/items/{item_id}",
        "PUT /v1/items/{item_id}",
        "PATCH /v1/items/{item_id}",
        "DELETE /v1/items/{item_id}",
        "GET /v1/items/{item_id}/similar",
        "GET /v1/users/{user_id}/recommendations",
        "GET /v1/recommendations",
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
        assert operation["security"] == [{"ApiKey": []}]
        assert {"401", "403", "422", "500", "502", "503", "504"} <= set(operation["responses"])
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


def test_the_page_for_people_needs_nothing_from_elsewhere(api: Client) -> None:
    answer = api.get("/docs")
    assert answer.status == 200
    page = answer.body.decode()
    assert "/v1/users/17850/recommendations" in page
    assert "<script" not in page
    assert "src=" not in page
    assert "https://" not in page


@pytest.mark.parametrize("kind", PROBLEM_TYPES, ids=lambda kind: kind.name)
def test_the_type_of_a_problem_leads_to_its_description(api: Client, kind: Any) -> None:
    assert api.get(kind.uri).json == {
        "type": kind.uri,
        "title": kind.title,
        "status": kind.status,
    }
