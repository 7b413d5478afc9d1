"""API keys: what a key is, how one is made and how one is checked.

A key reads `rk_<id>_<secret>`. Only the SHA-256 of its secret is kept: the secret is 256 random
bits, so there is nothing for a slow password hash to protect.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from recsys.core.domain import tenant_problem
from recsys.core.errors import FieldProblem, InvalidInput

_PREFIX = "rk"
_KEY_ID_BYTES = 4
_SECRET_BYTES = 32
_NO_DIGEST = bytes(hashlib.sha256().digest_size)


class Scope(StrEnum):
    """Permission of a key; `recsys.auth.access` says which route needs which."""

    EVENTS_WRITE = "events:write"
    CATALOGUE_WRITE = "catalogue:write"
    READ = "read"
    # Users' data as a whole, and whatever operates the shop.
    ADMIN = "admin"


# What keys of earlier releases have; their files stay readable and mean what they meant.
EARLIER_SCOPES = {"ingest": frozenset({Scope.EVENTS_WRITE, Scope.CATALOGUE_WRITE})}
SCOPE_NAMES = (*map(str, Scope), *EARLIER_SCOPES)


def scopes_named(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes of these names, those of earlier releases among them.

    Raises:
        ValueError: naming the first that is none.
    """
    granted: set[Scope] = set()
    for name in names:
        granted |= EARLIER_SCOPES[name] if name in EARLIER_SCOPES else {Scope(name)}
    return frozenset(granted)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept: its secret's digest, never the secret.

    Attributes:
        expires: from then on the key is as good as none; None: never.
        session_secret: of a public key, which stands in pages: it allows nothing without a session
            token signed by this. None: the key is itself a secret, of a server.
        requests_per_second: its rate limit, instead of that of its shop's settings.
    """

    key_id: str
    tenant: str
    digest: bytes
    scopes: frozenset[Scope]
    created: datetime
    expires: datetime | None = None
    session_secret: str | None = field(default=None, repr=False)
    requests_per_second: float | None = None

    @property
    def is_public(self) -> bool:
        return self.session_secret is not None


# What a key in a page may have: whoever sees the page can read it.
PUBLIC_SCOPES = frozenset({Scope.EVENTS_WRITE, Scope.READ})


def new_key(
    tenant: str,
    scopes: Iterable[Scope],
    created: datetime,
    *,
    expires: datetime | None = None,
    public: bool = False,
    requests_per_second: float | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; the text is shown once and cannot be had again.

    Raises:
        InvalidInput: when the tenant cannot be one, no scope is given, one that no public key may
            have, or it has expired already.
    """
    granted = frozenset(scopes)
    problems = []
    if reason := tenant_problem(tenant):
        problems.append(FieldProblem("tenant", reason))
    if not granted:
        problems.append(FieldProblem("scopes", "name at least one"))
    if public and granted - PUBLIC_SCOPES:
        allowed = " and ".join(sorted(PUBLIC_SCOPES))
        problems.append(FieldProblem("scopes", f"a public key may have {allowed} only"))
    if expires is not None and expires <= created:
        problems.append(FieldProblem("expires", "must be in the future"))
    if problems:
        raise InvalidInput(problems)
    key_id, secret = secrets.token_hex(_KEY_ID_BYTES), secrets.token_hex(_SECRET_BYTES)
    key = ApiKey(
        key_id,
        tenant,
        _digest(secret),
        granted,
        created,
        expires,
        secrets.token_hex(_SECRET_BYTES) if public else None,
        requests_per_second,
    )
    return key, f"{_PREFIX}_{key_id}_{secret}"


class KeyRing:
    """All keys of a file.

    Args:
        clock: seconds since 1970, by which keys expire.
    """

    def __init__(self, keys: Iterable[ApiKey], clock: Callable[[], float] = time.time) -> None:
        self._keys = {key.key_id: key for key in keys}
        self._clock = clock

    def tenants(self) -> set[str]:
        """Tenants that have a key."""
        return {key.tenant for key in self._keys.values()}

    def authenticate(self, text: str) -> ApiKey | None:
        """The key this text stands for, or None. Takes the same time whatever is wrong with it."""
        prefix, _, rest = text.partition("_")
        key_id, _, secret = rest.partition("_")
        key = self._keys.get(key_id) if prefix == _PREFIX else None
        matches = hmac.compare_digest(_digest(secret), key.digest if key else _NO_DIGEST)
        return key if matches and key and not self._has_expired(key) else None

    def _has_expired(self, key: ApiKey) -> bool:
        return key.expires is not None and key.expires.timestamp() <= self._clock()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
