"""The file of API keys: TOML, one [[key]] each, readable by its owner only."""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from recsys.auth.api_keys import (
    PUBLIC_SCOPES,
    SCOPE_NAMES,
    ApiKey,
    KeyRing,
    Scope,
    new_key,
    scopes_named,
)
from recsys.config.settings import TenantName
from recsys.config.shop import MAX_RATE
from recsys.config.toml_file import read_toml
from recsys.core.errors import AlreadyRunning, ConfigurationError, NotFound
from recsys.files import errors_name, write_whole

_DIGEST_PATTERN = r"^[0-9a-f]{64}$"
# A change takes milliseconds: fifty at once on a busy machine end well within this.
_LOCK_SECONDS = 30.0
_LOCK_POLL_SECONDS = 0.01
# Whoever can write it can let anybody in.
_PRIVATE = 0o600
_NO_KEYS = "# no keys\n"


def _check_scope(name: str) -> str:
    if name not in SCOPE_NAMES:
        raise ValueError(f"is not one of: {', '.join(SCOPE_NAMES)}")
    return name


_ScopeName = Annotated[str, AfterValidator(_check_scope)]


class _KeyEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=r"^[0-9a-f]+$")]
    tenant: TenantName
    sha256: Annotated[str, Field(pattern=_DIGEST_PATTERN)]
    scopes: Annotated[list[_ScopeName], Field(min_length=1)]
    created: AwareDatetime
    expires: AwareDatetime | None = None
    session_secret: Annotated[str, Field(pattern=_DIGEST_PATTERN)] | None = None
    requests_per_second: Annotated[float, Field(gt=0, le=MAX_RATE)] | None = None

    @model_validator(mode="after")
    def _has_no_more_than_a_public_key_may(self) -> "_KeyEntry":
        if self.session_secret and scopes_named(self.scopes) - PUBLIC_SCOPES:
            raise ValueError("with a session_secret a key has read and events:write only")
        return self

    def to_key(self) -> ApiKey:
        digest = bytes.fromhex(self.sha256)
        scopes = scopes_named(self.scopes)
        return ApiKey(
            self.id,
            self.tenant,
            digest,
            scopes,
            self.created,
            self.expires,
            self.session_secret,
            self.requests_per_second,
        )


class _KeysFile(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    key: list[_KeyEntry] = []


def load_keys(path: Path) -> list[ApiKey]:
    """Read the keys in the order they were made.

    Raises:
        ConfigurationError: naming what is wrong with the file.
    """
    try:
        keys = read_toml(path, _KeysFile)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"there is no file of API keys {path}; "
            f"make it and a key with: recsys keys create --file {path} --tenant TENANT --scope read"
        ) from error
    except OSError as error:
        raise ConfigurationError(f"cannot read the API keys: {error}") from error
    return [entry.to_key() for entry in keys.key]


def create_key(
    path: Path,
    tenant: str,
    scopes: Iterable[Scope],
    expires: datetime | None = None,
    requests_per_second: float | None = None,
) -> str:
    """Add a key to the file, which is made when missing, and return its text.

    Raises:
        InvalidInput: see `new_key`.
        ConfigurationError: when the file cannot be read.
        AlreadyRunning: when another process does not end its change.
    """
    return _create(path, tenant, scopes, expires, requests_per_second, public=False)[1]


def create_public_key(
    path: Path,
    tenant: str,
    scopes: Iterable[Scope],
    expires: datetime | None = None,
    requests_per_second: float | None = None,
) -> tuple[str, str]:
    """The same for a key of browsers; its text, and the secret that signs its session tokens."""
    key, text = _create(path, tenant, scopes, expires, requests_per_second, public=True)
    return text, str(key.session_secret)


def _create(
    path: Path,
    tenant: str,
    scopes: Iterable[Scope],
    expires: datetime | None,
    requests_per_second: float | None,
    *,
    public: bool,
) -> tuple[ApiKey, str]:
    key, text = new_key(
        tenant,
        scopes,
        datetime.now(UTC).replace(microsecond=0),
        expires=expires,
        public=public,
        requests_per_second=requests_per_second,
    )
    with _only_change(path):
        _add(path, key)
    return key, text


def revoke_key(path: Path, key_id: str) -> None:
    """Take a key out of the file; running gateways refuse it within a second or two.

    Raises:
        NotFound: when there is no such key.
        ConfigurationError: when the file cannot be read.
        AlreadyRunning: when another process does not end its change.
    """
    load_keys(path)  # where there is no file, none is made
    with _only_change(path):
        keys = load_keys(path)
        kept = [key for key in keys if key.key_id != key_id]
        if len(kept) == len(keys):
            raise NotFound(
                f"there is no key {key_id} in {path}; "
                f"see which there are with: recsys keys list --file {path}"
            )
        _save(path, kept)


def ensure_key(path: Path, plain_path: Path, tenant: str, scopes: Iterable[Scope]) -> str:
    """Make a key once for a stack on this machine, and keep its text in `plain_path`.

    Called again it returns the same key as long as both files agree.
    """
    return _ensure(path, plain_path, tenant, scopes, public=False)[1]


def ensure_public_key(
    path: Path, plain_path: Path, tenant: str, scopes: Iterable[Scope]
) -> tuple[str, str]:
    """The same for a key of browsers; its text, and the secret that signs its session tokens."""
    key, text = _ensure(path, plain_path, tenant, scopes, public=True)
    return text, str(key.session_secret)


def _ensure(
    path: Path, plain_path: Path, tenant: str, scopes: Iterable[Scope], *, public: bool
) -> tuple[ApiKey, str]:
    wanted = frozenset(scopes)
    with _only_change(path):
        if path.exists() and plain_path.exists():
            text = plain_path.read_text(encoding="utf-8").strip()
            known = KeyRing(load_keys(path)).authenticate(text)
            fits = known and known.tenant == tenant and known.is_public == public
            if known and fits and known.scopes >= wanted:
                return known, text
        now = datetime.now(UTC).replace(microsecond=0)
        key, text = new_key(tenant, wanted, now, public=public)
        _add(path, key)
        write_whole(plain_path, f"{text}\n", _PRIVATE)
    return key, text


@contextmanager
def _only_change(path: Path) -> Iterator[None]:
    """Keep every other process from changing the file: each reads it and then replaces it.

    The lock is on a file beside it, which stays: a lock on a file that is replaced, or removed,
    keeps nobody out.
    """
    file = Path(os.path.realpath(path))
    beside = file.with_name(f".{file.name}.lock")
    with errors_name(path):
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, _PRIVATE)
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)  # and with it the lock


def _lock(descriptor: int, path: Path) -> None:
    give_up = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise AlreadyRunning(
                    f"another `recsys keys` has been changing {path} for {_LOCK_SECONDS:.0f} s: "
                    "nothing was changed, see what became of it and try again"
                ) from None
            time.sleep(_LOCK_POLL_SECONDS)


def _add(path: Path, key: ApiKey) -> None:
    _save(path, [*(load_keys(path) if path.exists() else []), key])


def _save(path: Path, keys: Iterable[ApiKey]) -> None:
    # Services do not believe a file that was emptied.
    write_whole(path, "\n".join(map(_render, keys)) or _NO_KEYS, _PRIVATE)


def _render(key: ApiKey) -> str:
    # Nothing in here needs escaping: ids and digests are hex, tenants and scopes plain words.
    scopes = ", ".join(f'"{scope}"' for scope in sorted(key.scopes))
    rest = f"expires = {key.expires.isoformat()}\n" if key.expires else ""
    if key.session_secret:
        rest += f'session_secret = "{key.session_secret}"\n'
    if key.requests_per_second:
        rest += f"requests_per_second = {key.requests_per_second}\n"
    return (
        "[[key]]\n"
        f'id = "{key.key_id}"\n'
        f'tenant = "{key.tenant}"\n'
        f'sha256 = "{key.digest.hex()}"\n'
        f"scopes = [{scopes}]\n"
        f"created = {key.created.isoformat()}\n{rest}"
    )
