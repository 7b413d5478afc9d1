"""Model settings as a JSON file: what `recsys tune` writes and `recsys nightly` takes."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recsys.config.faults import fault_text
from recsys.core.errors import ConfigurationError
from recsys.files import write_whole
from recsys.training.als import AlsSettings
from recsys.training.settings import ModelSettings, settings_entry, settings_of_entry


def write_model_settings(path: Path, settings: ModelSettings) -> None:
    """Write settings; who reads meanwhile sees the old file or the new one."""
    write_whole(path, settings_text(settings) + "\n")


def settings_text(settings: ModelSettings) -> str:
    return json.dumps(settings_entry(settings), indent=2)


def read_model_settings(path: Path) -> ModelSettings:
    """Read settings; what the file does not name keeps its default.

    Raises:
        ConfigurationError: naming the file and the setting at fault.
    """
    try:
        # Editors of Windows begin a file with a byte order mark.
        entry = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(entry, dict) or not isinstance(entry.get("als", {}), dict):
        raise ConfigurationError(f"{path}: must hold an object of settings")
    _refuse_unknown(path, entry, ModelSettings)
    _refuse_unknown(path, entry.get("als", {}), AlsSettings)
    _refuse_booleans(path, entry)
    try:
        return settings_of_entry(entry)
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {fault_text(error.errors()[0])}") from error
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from error


def _refuse_unknown(path: Path, entry: dict[str, Any], kind: type) -> None:
    known = [field.name for field in fields(kind)]
    if unknown := [name for name in entry if name not in known]:
        raise ConfigurationError(
            f"{path}: {unknown[0]} is no setting; there are: {', '.join(known)}"
        )


def _refuse_booleans(path: Path, entry: dict[str, Any], place: str = "") -> None:
    """No setting is one, and Python takes true for 1."""
    for name, value in entry.items():
        if isinstance(value, bool):
            raise ConfigurationError(f"{path}: {place}{name}: must be a number, not true or false")
        if isinstance(value, dict):
            _refuse_booleans(path, value, f"{place}{name}.")
