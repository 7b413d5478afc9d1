"""Every Redis key, built in one place. A tenant's name has no colon, so no key is ambiguous.

Each raises InvalidInput for a name that no tenant can have.
"""

from functools import lru_cache

from recsys.core.domain import checked_tenant

# Keys are made for every answer: more tenants than one process serves are checked once.
_REMEMBERED_TENANTS = 1024


@lru_cache(maxsize=_REMEMBERED_TENANTS)
def _prefix(tenant: str) -> str:
    return f"recsys:{checked_tenant(tenant)}:"


def current_model(tenant: str) -> str:
    """The one pointer: the name of the version that answers."""
    return f"{_prefix(tenant)}model"


def version_prefix(tenant: str, version: str) -> str:
    return f"{_prefix(tenant)}v:{version}:"


def manifest(tenant: str, version: str) -> str:
    return f"{version_prefix(tenant, version)}manifest"


def complete(tenant: str, version: str) -> str:
    """Written when all records of a version were counted, removed before any of them is."""
    return f"{version_prefix(tenant, version)}complete"


def erased_users(tenant: str, version: str) -> str:
    """How many records of a version have gone because their users wanted to be forgotten."""
    return f"{version_prefix(tenant, version)}erased"


def items_chunk(tenant: str, version: str, number: int) -> str:
    return f"{version_prefix(tenant, version)}items:{number}"


def user_prefix(tenant: str, version: str) -> str:
    return f"{version_prefix(tenant, version)}u:"


def user(tenant: str, version: str, user_id: str) -> str:
    return f"{user_prefix(tenant, version)}{user_id}"


def all_versions_pattern(tenant: str) -> str:
    return f"{_prefix(tenant)}v:*"


def version_of(tenant: str, key: str) -> str:
    """The version a versioned key belongs to."""
    return key[len(f"{_prefix(tenant)}v:") :].split(":", 1)[0]


def recent(tenant: str, user_id: str) -> str:
    return f"{_prefix(tenant)}recent:{user_id}"


def shown(tenant: str, user_id: str) -> str:
    """Impressions of a user, in shops whose lists tire of items."""
    return f"{_prefix(tenant)}shown:{user_id}"


def recent_users(tenant: str) -> str:
    """Users who have the above, by when they were seen last."""
    return f"{_prefix(tenant)}recent_users"


def recent_bytes(tenant: str) -> str:
    """What the lists of all these users take."""
    return f"{_prefix(tenant)}recent_bytes"


def early_popularity(tenant: str) -> str:
    return f"{_prefix(tenant)}early_popularity"


def purchases(tenant: str) -> str:
    """What was bought in the last days."""
    return f"{_prefix(tenant)}purchases"


def catalogue(tenant: str) -> str:
    return f"{_prefix(tenant)}catalogue"


def catalogue_bytes(tenant: str) -> str:
    """What the above takes."""
    return f"{_prefix(tenant)}catalogue_bytes"


def catalogue_log(tenant: str) -> str:
    """Ids of the items that changed in the above, so that readers need not read all of it again."""
    return f"{_prefix(tenant)}catalogue_log"


def report(tenant: str) -> str:
    """The last report of experiments."""
    return f"{_prefix(tenant)}report"


def nightly_lock(tenant: str) -> str:
    return f"{_prefix(tenant)}nightly"
