"""The file of API keys: TOML, one [[key]] each, readable by its owner only."""

import os
import tempfile
import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from recsys.core.errors import ConfigurationError, NotFound
from recsys.runtime.api_keys import ApiKey, KeyRing, Scope, new_key

_DIGEST_PATTERN = r"^[0-9a-f]{64}$"


class _KeyEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: Annotated[str, Field(pattern=r"^[0-9a-f]+$")]
    tenant: Annotated[str, Field(min_length=1)]
    sha256: Annotated[str, Field(pattern=_DIGEST_PATTERN)]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    created: AwareDatetime

    def to_key(self) -> ApiKey:
        digest = bytes.fromhex(self.sha256)
        return ApiKey(self.id, self.tenant, digest, frozenset(self.scopes), self.created)


class _KeysFile(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    key: list[_KeyEntry] = []


def load_keys(path: Path) -> list[ApiKey]:
    """Read the keys in the order they were made.

    Raises:
        ConfigurationError: naming what is wrong with the file.
    """
    try:
        keys = _KeysFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"cannot read the API keys: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"{path}: {setting}: {first['msg']}") from None
    return [entry.to_key() for entry in keys.key]


def create_key(path: Path, tenant: str, scopes: Iterable[Scope]) -> str:
    """Add a key to the file, which is made when missing, and return its text.

    Raises:
        InvalidInput: when the tenant cannot be one, or no scope is given.
        ConfigurationError: when the file cannot be read.
    """
    key, text = new_key(tenant, scopes, datetime.now(UTC).replace(microsecond=0))
    kept = load_keys(path) if path.exists() else []
    _write_private(path, "\n".join(map(_render, [*kept, key])))
    return text


def revoke_key(path: Path, key_id: str) -> None:
    """Take a key out of the file; running gateways refuse it within a second or two.

    Raises:
        NotFound: when there is no such key.
        ConfigurationError: when the file cannot be read.
    """
    keys = load_keys(path)
    kept = [key for key in keys if key.key_id != key_id]
    if len(kept) == len(keys):
        raise NotFound(f"there is no key {key_id} in {path}")
    _write_private(path, "\n".join(map(_render, kept)))


def ensure_key(path: Path, plain_path: Path, tenant: str, scopes: Iterable[Scope]) -> str:
    """Make a key once for a stack on this machine, and keep its text in `plain_path`.

    Called again it returns the same key as long as both files agree.
    """
    wanted = frozenset(scopes)
    if path.exists() and plain_path.exists():
        text = plain_path.read_text(encoding="utf-8").strip()
        known = KeyRing(load_keys(path)).authenticate(text)
        if known and known.tenant == tenant and known.scopes >= wanted:
            return text
    text = create_key(path, tenant, wanted)
    _write_private(plain_path, f"{text}\n")
    return text


def _render(key: ApiKey) -> str:
    # Nothing in here needs escaping: ids and digests are hex, tenants and scopes plain words.
    scopes = ", ".join(f'"{scope}"' for scope in sorted(key.scopes))
    return (
        "[[key]]\n"
        f'id = "{key.key_id}"\n'
        f'tenant = "{key.tenant}"\n'
        f'sha256 = "{key.digest.hex()}"\n'
        f"scopes = [{scopes}]\n"
        f"created = {key.created.isoformat()}\n"
    )


def _write_private(path: Path, text: str) -> None:
    """Replace the file in one step, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes the file with mode 0600.
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
