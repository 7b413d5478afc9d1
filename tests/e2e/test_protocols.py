"""Every way in that the balancer offers."""

import ssl

import httpx
import pytest

from tests.e2e.shop import KNOWN_CUSTOMER, Shop, ids_of, posted, purchase, recommendations


@pytest.fixture(params=["HTTP/1.1", "HTTP/2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def only(version: str) -> dict[str, bool]:
    return {"http1": version == "HTTP/1.1", "http2": version == "HTTP/2"}


def test_in_the_clear(shop: Shop, version: str, shopper: str) -> None:
    with shop.client(**only(version)) as api:
        answer = api.get(recommendations(KNOWN_CUSTOMER))
        taken = posted(api, purchase(shopper, "22423"))

    assert answer.http_version == version
    assert len(ids_of(answer)) == 10
    assert taken["accepted"] == 1


def test_over_tls_with_a_certificate_of_the_stacks_authority(shop: Shop, version: str) -> None:
    url = shop.stack.settings.https_url
    with shop.client(url, verify=shop.trusting(), **only(version)) as api:
        answer = api.get(recommendations(KNOWN_CUSTOMER))

    assert answer.http_version == version
    assert len(ids_of(answer)) == 10


def test_tls_offers_http_2_to_those_who_know_both(shop: Shop) -> None:
    url = shop.stack.settings.https_url
    with shop.client(url, verify=shop.trusting(), http1=True, http2=True) as api:
        assert api.get("/readyz").http_version == "HTTP/2"


def test_a_client_that_does_not_know_the_authority_refuses(shop: Shop) -> None:
    strangers = ssl.create_default_context()
    with (
        shop.client(shop.stack.settings.https_url, verify=strangers) as api,
        pytest.raises(httpx.ConnectError, match="certificate"),
    ):
        api.get("/readyz")


@pytest.mark.parametrize("path", [recommendations(KNOWN_CUSTOMER, 100), "/openapi.json"])
def test_long_answers_are_compressed_for_those_who_take_it(api: httpx.Client, path: str) -> None:
    packed = api.get(path, headers={"Accept-Encoding": "gzip"})
    plain = api.get(path, headers={"Accept-Encoding": "identity"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.num_bytes_downloaded < plain.num_bytes_downloaded / 2


def test_the_request_id_of_a_client_comes_back(api: httpx.Client) -> None:
    answer = api.get(recommendations(KNOWN_CUSTOMER), headers={"X-Request-ID": "shop-42"})

    assert answer.headers["X-Request-ID"] == "shop-42"
    assert answer.json()["request_id"] == "shop-42"


def test_a_websocket_upgrade_is_answered_as_a_get(api: httpx.Client) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for path, status in (("/livez", 200), (recommendations("nobody"), 401), ("/nowhere", 404)):
        answer = api.get(path, headers=headers | {"X-API-Key": ""})
        assert answer.status_code == status
        if status != 200:
            assert answer.headers["Content-Type"] == "application/problem+json"
        # The connection goes on to speak HTTP.
        assert api.get("/livez").status_code == 200


@pytest.mark.parametrize(
    "path", [recommendations(KNOWN_CUSTOMER), "/docs", "/openapi.json", "/livez"]
)
def test_head_is_a_get_without_its_body(api: httpx.Client, path: str) -> None:
    plain = {"Accept-Encoding": "identity"}
    head = api.head(path, headers=plain)
    got = api.get(path, headers=plain)

    assert head.status_code == got.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(got.content))
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
