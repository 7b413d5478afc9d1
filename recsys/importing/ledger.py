"""Ledger of finished imports."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol


class ImportLedger(Protocol):
    """Remembers finished imports by what was imported and how."""

    def find(self, tenant: str, digest: str) -> dict[str, Any] | None: ...

    def record(self, tenant: str, digest: str, entry: Mapping[str, Any]) -> None: ...

    def forget(self, tenant: str, digest: str) -> bool:
        """Forget an import; whether it was known."""


def digest_of(path: Path, how: Mapping[str, Any]) -> str:
    """One hash of a file's content and of the way it is read."""
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(json.dumps([content, how], sort_keys=True).encode()).hexdigest()
