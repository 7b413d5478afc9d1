"""Items, and how a change of one reaches every recommendation at once."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.e2e.shop import KNOWN_CUSTOMER, Shop, ids_of, item, posted, recommendations, similar
from tests.stack_fixture import Recsys

# Both recommenders have answered, whoever came first.
_CLEAN_ANSWERS = 6
_PATIENCE_SECONDS = 15
LAMP = {
    "title": "Lampe „Ü“ 日本",
    "categories": ["Home", "Light & more"],
    "brand": "Büro",
    "price": 19.99,
    "available": True,
    "attributes": {"colour": "red", "watts": 7.5, "dimmable": True},
    "quantity": 3,
    "tags": ["gift"],
    "list_price": 24.99,
    "publish_time": 1_600_000_000_000,
    "expire_time": 4_000_000_000_000,
    "create_time": 1_690_000_000_000,
}
ANYBODY = "somebody looking around"


@pytest.fixture
def borrowed(shop: Shop, api: httpx.Client) -> Iterator[Callable[[str], None]]:
    """Puts items back as they were after the test."""
    before = []
    yield lambda item_id: before.append(api.get(item(item_id)).json())
    for entry in before:
        item_id = entry.pop("item_id")
        assert api.put(item(item_id), json=entry).status_code == 200


@pytest.mark.parametrize(
    "item_id",
    [
        "plain-1",
        "a/b",
        "a//b/",
        "two words",
        "日本🛒",
        "100%",
        "%2F",
        "?x=1&y",
        "#",
        "ü" * 256,
    ],
)
def test_an_item_of_any_id_is_put_read_changed_and_removed(api: httpx.Client, item_id: str) -> None:
    assert api.get(item(item_id)).status_code == 404
    assert api.put(item(item_id), json=LAMP).json() == {"item_id": item_id, **LAMP}

    changed = api.patch(item(item_id), json={"price": 5, "brand": None})

    assert changed.json() == {"item_id": item_id, **LAMP, "price": 5, "brand": None}
    assert api.get(item(item_id)).json() == changed.json()
    assert api.delete(item(item_id)).status_code == 204
    assert api.delete(item(item_id)).status_code == 204
    assert api.get(item(item_id)).status_code == 404


def test_patches_of_different_fields_at_the_same_moment_all_take_effect(
    shop: Shop, api: httpx.Client
) -> None:
    changes: list[dict[str, object]] = [{"available": False}, {"price": 7.5}]
    with (
        ThreadPoolExecutor(len(changes)) as writers,
        shop.client() as one,
        shop.client() as other,
    ):
        for number in range(25):
            path = item(f"patched-{number}")
            api.put(path, json=LAMP)

            def patch(client: httpx.Client, change: dict[str, object], path: str = path) -> int:
                return client.patch(path, json=change).status_code

            assert list(writers.map(patch, (one, other), changes)) == [200, 200]
            changed = api.get(path).json()
            assert (changed["available"], changed["price"]) == (False, 7.5)
            assert api.delete(path).status_code == 204


def test_a_packed_answer_has_an_etag_that_a_change_can_insist_on(api: httpx.Client) -> None:
    packed = {"Accept-Encoding": "gzip"}
    path = item("insisted on")
    etag = api.put(path, json=LAMP).headers["ETag"]

    read = api.get(path, headers=packed)
    assert read.headers["ETag"] == etag
    assert api.get(path, headers={**packed, "If-None-Match": etag}).status_code == 304
    assert api.patch(path, json={"price": 1}, headers={"If-Match": etag}).status_code == 200
    assert api.patch(path, json={"price": 2}, headers={"If-Match": etag}).status_code == 412
    assert api.put(path, json=LAMP, headers={"If-None-Match": "*"}).status_code == 412
    assert api.delete(path).status_code == 204


def _popular(api: httpx.Client) -> str:
    return ids_of(api.get(recommendations(ANYBODY)))[0]


def _stored(api: httpx.Client) -> str:
    return ids_of(api.get(recommendations(KNOWN_CUSTOMER)))[0]


QUESTIONS = {
    "for a stranger": (recommendations(ANYBODY, 100), _popular),
    "for a known customer": (recommendations(KNOWN_CUSTOMER, 100), _stored),
}


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("leave", ["sold out", "deleted"])
def test_an_item_that_cannot_be_bought_is_not_recommended_a_second_later(
    api: httpx.Client, borrowed: Callable[[str], None], question: str, leave: str
) -> None:
    path, pick = QUESTIONS[question]
    item_id = pick(api)
    borrowed(item_id)
    beside = similar(ids_of(api.get(similar(item_id)))[0], 100)

    if leave == "sold out":
        assert api.patch(item(item_id), json={"available": False}).status_code == 200
    else:
        assert api.delete(item(item_id)).status_code == 204

    for asked in (path, beside):
        assert seconds_until_gone(api, asked, item_id) < 1


def placement(name: str, **fields: object) -> Callable[[Shop, httpx.Client], list[str]]:
    body = {"limit": 100, **fields}
    path = f"/v1/placements/{name}:recommend"
    return lambda _, api: ids_of(api.post(path, json=body))


def simple(path: str) -> Callable[[Shop, httpx.Client], list[str]]:
    return lambda _, api: ids_of(api.get(path))


def of_page(_: Shop, api: httpx.Client) -> list[str]:
    body = {"user_id": KNOWN_CUSTOMER, "requests": [{"placement": "home", "limit": 100}]}
    [home] = api.post("/v1/placements:recommend", json=body).json()["responses"]
    return [entry["item_id"] for entry in home["items"]]


def by_grpc(shop: Shop, _: httpx.Client) -> list[str]:
    answers = shop.asked_of_each_recommender(KNOWN_CUSTOMER)
    return [entry.item_id for answer in answers for entry in answer.items]


BASKET = ["85123A", "22423"]
LISTS = {
    "for a user": simple(recommendations(KNOWN_CUSTOMER, 100)),
    "for a session": simple("/v1/recommendations?item_id=85123A&limit=100"),
    "similar": simple(similar("85123A", 100)),
    "home": placement("home", user_id=KNOWN_CUSTOMER),
    "product page": placement("product_page", item_id="85123A"),
    "basket": placement("basket", session_item_ids=BASKET),
    "category page": placement("category_page"),
    "bestsellers": placement("bestsellers"),
    "trending": placement("trending"),
    "new arrivals": placement("new_arrivals"),
    "recently viewed": placement("recently_viewed", user_id="views what sells out"),
    "page": of_page,
    "gRPC": by_grpc,
}


@pytest.mark.parametrize("name", LISTS)
def test_a_sold_out_item_is_in_no_list_of_any_kind_a_second_later(
    shop: Shop, api: httpx.Client, borrowed: Callable[[str], None], name: str
) -> None:
    viewed = shop.item_ids()[0]
    posted(api, {"user_id": "views what sells out", "item_id": viewed, "event_type": "view"})
    asked = LISTS[name]
    item_id = asked(shop, api)[0]
    borrowed(item_id)
    assert api.patch(item(item_id), json={"available": False}).status_code == 200
    assert last_wrong(lambda: item_id not in asked(shop, api)) < 1


def test_an_item_that_is_back_is_recommended_again(
    api: httpx.Client, borrowed: Callable[[str], None]
) -> None:
    item_id = _popular(api)
    borrowed(item_id)
    api.patch(item(item_id), json={"available": False})
    seconds_until_gone(api, recommendations(ANYBODY), item_id)

    api.patch(item(item_id), json={"available": True})

    path = recommendations(ANYBODY)
    last_without = last_asked(api, path, lambda found: item_id in found)
    assert last_without < 1


def test_a_new_title_and_price_are_in_answers_a_second_later(
    api: httpx.Client, borrowed: Callable[[str], None]
) -> None:
    item_id = _popular(api)
    borrowed(item_id)
    changed = {"title": "Renamed „Ü“", "price": 123.25}
    assert api.patch(item(item_id), json=changed).status_code == 200

    def is_shown() -> bool:
        shown = api.get(recommendations(ANYBODY)).json()["items"]
        return (changed | {"item_id": item_id, "score": None}) in shown

    assert last_wrong(is_shown) < 1


@pytest.mark.parametrize("available", [False, True])
def test_a_file_hides_and_shows_an_item_a_second_later(
    api: httpx.Client,
    borrowed: Callable[[str], None],
    recsys: Recsys,
    tmp_path: Path,
    available: bool,
) -> None:
    item_id = _popular(api)
    borrowed(item_id)
    if available:
        api.patch(item(item_id), json={"available": False})
        seconds_until_gone(api, recommendations(ANYBODY), item_id)
    path = tmp_path / "items.jsonl"
    path.write_text(json.dumps({"item_id": item_id, "available": available}))

    done = recsys("import", "items", str(path))

    assert done.returncode == 0, done.stderr
    asked = recommendations(ANYBODY)
    assert last_asked(api, asked, lambda found: (item_id in found) is available) < 1


def seconds_until_gone(api: httpx.Client, path: str, item_id: str) -> float:
    return last_asked(api, path, lambda found: item_id not in found)


def last_asked(api: httpx.Client, path: str, right: Callable[[list[str]], bool]) -> float:
    return last_wrong(lambda: right(ids_of(api.get(path))))


def last_wrong(is_right: Callable[[], bool]) -> float:
    """Seconds from now to the last question that still got a wrong answer."""
    started = time.monotonic()
    wrong_at, right_in_a_row = 0.0, 0
    while right_in_a_row < _CLEAN_ANSWERS:
        asked = time.monotonic() - started
        assert asked < _PATIENCE_SECONDS, f"still wrong after {wrong_at} s"
        if is_right():
            right_in_a_row += 1
        else:
            wrong_at, right_in_a_row = asked, 0
    return wrong_at
