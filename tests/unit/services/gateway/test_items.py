import json
import re

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
    "quantity": 3.0,
    "tags": ["summer", "Büro"],
    "list_price": 25.0,
    "publish_time": 1_700_000_000_000,
    "expire_time": 1_900_000_000_000,
    "create_time": 1_690_000_000_000,
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


@pytest.mark.parametrize("text", ["", " ", "   "])
def test_an_empty_title_or_brand_is_none(api: Client, text: str) -> None:
    empty = {"title": text, "brand": text}
    put = write(api, "PUT", "unbranded", empty)
    assert (put.json["title"], put.json["brand"]) == (None, None)
    write(api, "PATCH", "unbranded", {"title": "Lamp", "brand": "Acme"})
    patched = write(api, "PATCH", "unbranded", empty)
    assert (patched.json["title"], patched.json["brand"]) == (None, None)


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
    assert not world.ingest.live.rows("shop")["sold"].available
    write(api, "PATCH", "sold", {"available": True})
    assert world.ingest.live.rows("shop")["sold"].available


def test_a_removed_item_is_gone_and_hidden(world: World, api: Client) -> None:
    write(api, "PUT", "gone", LAMP)
    answer = api.send("DELETE", "/v1/items/gone")
    assert (answer.status, answer.body) == (204, b"")
    assert api.get("/v1/items/gone").status == 404
    assert not world.ingest.live.rows("shop")["gone"].available


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_unknown_item_is_not_found(api: Client, method: str) -> None:
    answer = api.send(method, "/v1/items/unheard-of", b'{"title": "T"}')
    assert answer.status == 404
    assert answer.json["type"] == "/problems/not-found"


def test_removing_what_never_was_is_no_error_and_leaves_nothing(world: World, api: Client) -> None:
    known = world.ingest.live.rows("shop")
    assert api.send("DELETE", "/v1/items/never-was").status == 204
    assert world.ingest.live.rows("shop") == known


def test_shops_do_not_see_each_other(world: World, api: Client) -> None:
    write(api, "PUT", "mine", LAMP)
    assert world.client(world.keys["other"]).get("/v1/items/mine").status == 404


def conditional(api: Client, method: str, item_id: str, document: object, **sent: str) -> Response:
    headers = {name.replace("_", "-"): value for name, value in sent.items()}
    return api.send(method, f"/v1/items/{item_id}", json.dumps(document).encode(), headers)


def test_every_answer_with_an_item_names_its_etag(api: Client) -> None:
    put = write(api, "PUT", "tagged", LAMP)
    got = api.get("/v1/items/tagged")
    patched = write(api, "PATCH", "tagged", {"price": 1})

    assert put.headers["etag"] == got.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]+"', put.headers["etag"])
    assert patched.headers["etag"] != put.headers["etag"]
    assert api.get("/v1/items/tagged").headers["etag"] == patched.headers["etag"]
    # Else the balancer packs the answer and makes a weak ETag of it.
    assert "no-transform" in got.headers["cache-control"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_what_the_caller_has_already_is_not_sent_again(api: Client, form: str) -> None:
    etag = write(api, "PUT", "kept", LAMP).headers["etag"]

    answer = conditional(api, "GET", "kept", None, If_None_Match=form.format(etag))

    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == etag
    assert conditional(api, "GET", "kept", None, If_None_Match='"old"').json["price"] == 19.99


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_of_another_state_than_expected_is_refused(api: Client, method: str) -> None:
    old = write(api, "PUT", "moved", LAMP).headers["etag"]
    new = write(api, "PATCH", "moved", {"price": 1}).headers["etag"]

    for refused in (old, f"W/{new}", '"*"'):
        answer = conditional(api, method, "moved", {"price": 2}, If_Match=refused)
        assert answer.status == 412
        assert answer.json["type"] == "/problems/precondition-failed"
    assert conditional(api, method, "moved", {"price": 2}, If_None_Match=new).status == 412
    assert api.get("/v1/items/moved").json["price"] == 1

    assert conditional(api, method, "moved", {"price": 2}, If_Match=f"{old}, {new}").status < 300


def test_an_item_can_be_created_without_replacing_one(api: Client) -> None:
    assert conditional(api, "PUT", "only", {"price": 1}, If_None_Match="*").status == 200
    assert conditional(api, "PUT", "only", {"price": 2}, If_None_Match="*").status == 412
    assert api.get("/v1/items/only").json["price"] == 1


def test_an_item_that_is_not_there_has_no_etag_to_match(api: Client) -> None:
    assert conditional(api, "PUT", "absent", LAMP, If_Match="*").status == 412
    assert conditional(api, "DELETE", "absent", None, If_Match='"a"').status == 412
    # As without the header.
    assert conditional(api, "PATCH", "absent", {"price": 1}, If_Match="*").status == 404
    assert api.get("/v1/items/absent").status == 404


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("value", ["abc", '"a', '"a" "b"', '*, "a"', 'w/"a"', ""])
def test_what_is_no_etag_is_refused_by_name(api: Client, header: str, value: str) -> None:
    write(api, "PUT", "plain", LAMP)
    answer = conditional(api, "PATCH", "plain", {"price": 1}, **{header: value})
    assert answer.status == 422
    assert "quotes" in answer.reasons[header]


def test_a_time_of_an_item_is_text_or_milliseconds(api: Client) -> None:
    written = {"publish_time": "2026-05-01T02:00:00+02:00", "expire_time": 1_900_000_000_000}
    put = write(api, "PUT", "timed", written)
    assert (put.json["publish_time"], put.json["expire_time"]) == (
        *(1_777_593_600_000, 1_900_000_000_000),
    )
    cleared = write(api, "PATCH", "timed", {"expire_time": None, "quantity": 0, "tags": ["a"]})
    assert cleared.json["publish_time"] == 1_777_593_600_000
    assert (cleared.json["expire_time"], cleared.json["quantity"]) == (None, 0)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"quantity": -1}, "quantity"),
        ({"quantity": "many"}, "quantity"),
        ({"list_price": 1e13}, "list_price"),
        ({"tags": ["a"] * 101}, "tags"),
        ({"tags": [""]}, "tags.0"),
        ({"publish_time": "tomorrow"}, "publish_time"),
        ({"publish_time": 1_700_000_000}, "publish_time"),
        ({"publish_ms": 1_700_000_000_000}, "publish_ms"),
        ({"publish_time": 1_700_000_000_001, "expire_time": 1_700_000_000_001}, "expire_time"),
    ],
)
def test_stock_tags_and_times_have_their_rules(
    api: Client, document: dict[str, object], field: str
) -> None:
    answer = write(api, "PUT", "ruled", document)
    assert answer.status == 422
    assert field in answer.reasons
