"""API keys with which the demo can be tried, and of its shop."""

from infra.local.servers.tables import DEMO_TENANT
from infra.local.servers.templates import write
from infra.local.settings import Settings
from recsys.auth.api_keys import PUBLIC_SCOPES, Scope
from recsys.auth.key_file import ensure_key, ensure_public_key


def ensure_demo_key(settings: Settings) -> str:
    """The text of the demo's key, made at the first call; gateways know it by its hash."""
    plain = settings.home / "demo_key"
    return ensure_key(settings.api_keys, plain, DEMO_TENANT, Scope)


def ensure_storefront_keys(settings: Settings) -> None:
    """Write the keys of the demo shop, one for its server and one for its pages, where it reads."""
    scopes = (Scope.READ, Scope.EVENTS_WRITE)
    server = ensure_key(settings.api_keys, settings.home / "storefront_key", DEMO_TENANT, scopes)
    public, secret = ensure_public_key(
        settings.api_keys, settings.home / "storefront_public_key", DEMO_TENANT, PUBLIC_SCOPES
    )
    values = {
        "tenant": DEMO_TENANT,
        "api_key": server,
        "public_key": public,
        "session_secret": secret,
    }
    # Hex and plain words: nothing needs escaping.
    text = "".join(f'{name} = "{value}"\n' for name, value in values.items())
    write(settings.storefront_keys, text)
