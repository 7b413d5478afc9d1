"""The demo shop over an API in memory."""

import asyncio
from collections.abc import Iterator

import pytest

from recsys.config.shops import Shops
from services.storefront.api import Api
from services.storefront.app import build_app
from services.storefront.catalogue import Catalogue
from services.storefront.dependencies import Dependencies
from services.storefront.operations import Operations
from services.storefront.settings import StorefrontKeys
from tests.unit.services.storefront.browser import Browser
from tests.unit.services.storefront.stub_api import StubApi

KEYS = StorefrontKeys(
    tenant="demo", api_key="rk_1_server", public_key="rk_2_public", session_secret="a" * 64
)


@pytest.fixture
def stub() -> StubApi:
    return StubApi()


@pytest.fixture
def shopper(stub: StubApi) -> Iterator[Browser]:
    """A browser without JavaScript, at the first visit."""
    api = Api(stub.client())
    with asyncio.Runner() as runner:
        operations = Operations(KEYS.tenant, None, Shops(None, lambda: None), ())
        app = build_app(Dependencies(KEYS, api, Catalogue(api), operations))
        browser = Browser(app, runner)
        yield browser
        browser.close()
        runner.run(api.close())


@pytest.fixture
def consenting(shopper: Browser) -> Browser:
    """One who has allowed that events are sent."""
    shopper.post("/shop/consent", {"answer": "yes", "next": "/shop"})
    return shopper
