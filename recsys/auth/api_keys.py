"""API keys: what a key is, how one is made and how one is checked.

A key reads `rk_<id>_<secret>`. Only the SHA-256 of its secret is kept: the secret is 256 random
bits, so there is nothing for a slow password hash to protect.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from recsys.core.domain import tenant_problem
from recsys.core.errors import FieldProblem, InvalidInput

_PREFIX = "rk"
_KEY_ID_BYTES = 4
_SECRET_BYTES = 32
_NO_DIGEST = bytes(hashlib.sha256().digest_size)


class Scope(StrEnum):
    """Permission of a key."""

    READ = "read"
    INGEST = "ingest"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: its secret's digest, never the secret."""

    key_id: str
    tenant: str
    digest: bytes
    scopes: frozenset[Scope]
    created: datetime


def new_key(tenant: str, scopes: Iterable[Scope], created: datetime) -> tuple[ApiKey, str]:
    """Make a key; the text is shown once and cannot be had again.

    Raises:
        InvalidInput: when the tenant cannot be one, or no scope is given.
    """
    granted = frozenset(scopes)
    problems = []
    if reason := tenant_problem(tenant):
        problems.append(FieldProblem("tenant", reason))
    if not granted:
        problems.append(FieldProblem("scopes", "name at least one"))
    if problems:
        raise InvalidInput(problems)
    key_id, secret = secrets.token_hex(_KEY_ID_BYTES), secrets.token_hex(_SECRET_BYTES)
    key = ApiKey(key_id, tenant, _digest(secret), granted, created)
    return key, f"{_PREFIX}_{key_id}_{secret}"


class KeyRing:
    """All keys that are valid now."""

    def __init__(self, keys: Iterable[ApiKey]) -> None:
        self._keys = {key.key_id: key for key in keys}

    def tenants(self) -> set[str]:
        """Tenants that have a key."""
        return {key.tenant for key in self._keys.values()}

    def authenticate(self, text: str) -> ApiKey | None:
        """The key this text stands for, or None. Takes the same time whatever is wrong with it."""
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        key = self._keys.get(key_id) if prefix == _PREFIX else None
        matches = hmac.compare_digest(_digest(secret), key.digest if key else _NO_DIGEST)
        return key if matches else None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
