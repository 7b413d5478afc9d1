import json

import pytest

from tests.unit.services.gateway.asgi_client import Client, Response
from tests.unit.services.gateway.conftest import World

LAMP = {
    "title": "Lampe „Ü“",
    "categories": ["home", "light"],
    "brand": "Büro",
    "price": 19.99,
    "available": True,
    "attributes": {"colour": "red", "watts": 7.5, "dimmable": True},
}


def write(api: Client, method: str, item_id: str, document: object) -> Response:
    return api.send(method, f"/v1/items/{item_id}", json.dumps(document).encode())


@pytest.mark.parametrize("item_id", ["lamp", "a%2Fb%20c", "%E2%98%95", "x" * 256])
def test_an_item_comes_back_whole(api: Client, item_id: str) -> None:
    put = write(api, "PUT", item_id, LAMP)
    got = api.get(f"/v1/items/{item_id}")
    assert put.status == got.status == 200
    assert put.json == got.json
    assert got.json == {"item_id": got.json["item_id"], **LAMP}


def test_what_was_read_can_be_written_back_without_its_id(api: Client) -> None:
    write(api, "PUT", "back", LAMP)
    read = api.get("/v1/items/back").json
    del read["item_id"]
    assert write(api, "PUT", "back", read).status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("item_id", ["told", "other", None])
def test_the_id_of_an_item_stands_in_the_path_alone(
    api: Client, method: str, item_id: str | None
) -> None:
    write(api, "PUT", "told", LAMP)
    answer = write(api, method, "told", {"item_id": item_id, "price": -1})
    assert answer.status == 422
    assert "path" in answer.reasons["item_id"]
    assert "price" in answer.reasons


def test_a_put_resets_what_it_leaves_out(api: Client) -> None:
    write(api, "PUT", "reset", LAMP)
    assert write(api, "PUT", "reset", {"title": "T"}).json["price"] is None


def test_a_patch_changes_what_it_names_only(api: Client) -> None:
    write(api, "PUT", "patched", LAMP)
    answer = write(api, "PATCH", "patched", {"price": None, "categories": []})
    assert answer.json == {"item_id": "patched", **LAMP, "price": None, "categories": []}


def test_an_item_that_cannot_be_bought_is_hidden(world: World, api: Client) -> None:
    write(api, "PUT", "sold", LAMP)
    write(api, "PATCH", "sold", {"available": False})
    assert "sold" in world.ingest.hidden.of_tenant("shop")
    write(api, "PATCH", "sold", {"available": True})
    assert "sold" not in world.ingest.hidden.of_tenant("shop")


def test_a_removed_item_is_gone_and_hidden(world: World, api: Client) -> None:
    write(api, "PUT", "gone", LAMP)
    answer = api.send("DELETE", "/v1/items/gone")
    assert (answer.status, answer.body) == (204, b"")
    assert api.get("/v1/items/gone").status == 404
    assert "gone" in world.ingest.hidden.of_tenant("shop")


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_unknown_item_is_not_found(api: Client, method: str) -> None:
    answer = api.send(method, "/v1/items/unheard-of", b'{"title": "T"}')
    assert answer.status == 404
    assert answer.json["type"] == "/problems/not-found"


def test_removing_what_is_not_there_is_no_error(api: Client) -> None:
    assert api.send("DELETE", "/v1/items/never-was").status == 204


def test_shops_do_not_see_each_other(world: World, api: Client) -> None:
    write(api, "PUT", "mine", LAMP)
    assert world.client(world.keys["other"]).get("/v1/items/mine").status == 404
