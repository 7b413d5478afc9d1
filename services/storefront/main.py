"""Wires the demo shop by hand and runs it until it is told to stop."""

import math
import sys

import httpx
import uvicorn

from recsys.config.settings import load_settings
from recsys.config.shops import Shops
from recsys.config.toml_file import read_toml
from recsys.core.errors import ConfigurationError
from recsys.runtime.logging import configure_logging
from recsys.stores.model_files import ModelFiles
from services.storefront.api import Api
from services.storefront.app import build_app
from services.storefront.catalogue import Catalogue
from services.storefront.dependencies import Dependencies
from services.storefront.operations import Operations
from services.storefront.settings import StorefrontKeys, StorefrontSettings

# A page asks twice at most, one after the other: a shopper waits for neither longer than this, and
# then sees the page without the lists.
_TIMEOUT = httpx.Timeout(2.0, connect=0.5)


def main() -> None:
    try:
        settings = load_settings(StorefrontSettings)
        configure_logging("storefront", settings.instance, settings.log_level)
        keys = _read_keys(settings)
        operations = _operations(settings, keys.tenant)
    except ConfigurationError as error:
        sys.exit(f"storefront: {error}")
    client = httpx.AsyncClient(
        base_url=settings.api_url,
        headers={"X-API-Key": keys.api_key},
        timeout=_TIMEOUT,
        # A proxy for the internet has no business between a shop and its API.
        trust_env=False,
    )
    api = Api(client)
    app = build_app(Dependencies(keys, api, Catalogue(api), operations))
    uvicorn.Server(_server_config(app, settings)).run()


def _read_keys(settings: StorefrontSettings) -> StorefrontKeys:
    try:
        return read_toml(settings.keys, StorefrontKeys)
    except OSError as error:
        raise ConfigurationError(f"cannot read the shop's keys: {error}") from error


def _operations(settings: StorefrontSettings, tenant: str) -> Operations:
    models = ModelFiles(settings.model_store) if settings.model_store else None
    # Gateways count and log settings that are refused; here they only go on as they were.
    shops = Shops(settings.shop_config, on_refused=lambda: None)
    return Operations(tenant, models, shops, settings.gateway_metrics)


def _server_config(app: object, settings: StorefrontSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application
        host=settings.listen.host,
        port=settings.listen.port,
        log_config=None,
        access_log=False,
        ws="none",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.drain_seconds),
    )
