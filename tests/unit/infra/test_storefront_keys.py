"""Keys that the local stack makes for its demo shop."""

import stat
from pathlib import Path

from infra.local.servers.keys import ensure_storefront_keys
from infra.local.settings import Settings
from recsys.auth.api_keys import KeyRing, Scope
from recsys.auth.key_file import load_keys
from recsys.auth.session_tokens import session_user, sign_session
from recsys.config.toml_file import read_toml
from services.storefront.settings import StorefrontKeys


def test_the_demo_shop_has_a_key_for_its_server_and_one_for_its_pages(tmp_path: Path) -> None:
    settings = Settings.load("main", {}, tmp_path)
    ensure_storefront_keys(settings)
    keys = read_toml(settings.storefront_keys, StorefrontKeys)
    ring = KeyRing(load_keys(settings.api_keys))
    server, public = ring.authenticate(keys.api_key), ring.authenticate(keys.public_key)
    assert server
    assert public
    assert server.scopes == {Scope.READ, Scope.EVENTS_WRITE}
    assert (server.is_public, public.is_public) == (False, True)
    assert public.session_secret
    token = sign_session(keys.session_secret, "ann", 2_000_000_000)
    assert session_user(public.session_secret, token, 1_999_999_000) == "ann"
    assert stat.S_IMODE(settings.storefront_keys.stat().st_mode) == 0o600


def test_starting_again_keeps_the_keys_and_makes_no_further_ones(tmp_path: Path) -> None:
    settings = Settings.load("main", {}, tmp_path)
    ensure_storefront_keys(settings)
    before = settings.storefront_keys.read_text()
    ensure_storefront_keys(settings)
    assert settings.storefront_keys.read_text() == before
    assert len(load_keys(settings.api_keys)) == 2


def test_a_key_of_another_kind_is_replaced(tmp_path: Path) -> None:
    settings = Settings.load("main", {}, tmp_path)
    ensure_storefront_keys(settings)
    server = settings.home / "storefront_key"
    (settings.home / "storefront_public_key").write_text(server.read_text())
    ensure_storefront_keys(settings)
    keys = read_toml(settings.storefront_keys, StorefrontKeys)
    assert keys.public_key != keys.api_key
