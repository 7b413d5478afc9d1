"""The API key with which the demo can be tried."""

from infra.local.servers.tables import DEMO_TENANT
from infra.local.settings import Settings
from recsys.auth.api_keys import Scope
from recsys.auth.key_file import ensure_key


def ensure_demo_key(settings: Settings) -> str:
    """The text of the demo's key, made at the first call; gateways know it by its hash."""
    plain = settings.home / "demo_key"
    return ensure_key(settings.api_keys, plain, DEMO_TENANT, Scope)
