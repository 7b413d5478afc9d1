"""Model settings as a JSON file: what `recsys tune` writes and `recsys nightly` takes."""

import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from recsys.config.faults import fault_text
from recsys.config.shop import Shop
from recsys.core.errors import ConfigurationError
from recsys.files import write_whole
from recsys.training.als import AlsSettings
from recsys.training.settings import ModelSettings, settings_entry, settings_of_entry


def write_model_settings(path: Path, settings: ModelSettings) -> None:
    """Write settings; who reads meanwhile sees the old file or the new one."""
    write_whole(path, settings_text(settings) + "\n")


def settings_text(settings: ModelSettings) -> str:
    return json.dumps(settings_entry(settings), indent=2)


def read_model_settings(path: Path, shop: Shop, say: Callable[[str], None]) -> ModelSettings:
    """Read settings; what the file does not name keeps its default.

    Says which of them will not count, since the shop's own settings fix another value.

    Raises:
        ConfigurationError: naming the file and the setting at fault.
    """
    entry = _read_entry(path)
    try:
        settings = settings_of_entry(entry)
        settings.refuse_unknown_types(shop)
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {fault_text(error.errors()[0])}") from error
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from error
    for line in _overruled(entry, settings, shop):
        say(f"{path}: {line}")
    return settings


def _read_entry(path: Path) -> dict[str, Any]:
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
    return entry


def _overruled(entry: dict[str, Any], settings: ModelSettings, shop: Shop) -> Iterator[str]:
    """Tell of each setting that the file names and the shop fixes at another value."""
    fixed = settings.as_fixed_by(shop)
    for name in ("half_life_days", "popularity_half_life_days"):
        given, counts = getattr(settings, name), getattr(fixed, name)
        if name in entry and given != counts:
            yield f"{name} {given:g} does not count: the shop's settings say {counts:g}"
    for name in settings.event_weights.keys() - fixed.event_weights.keys():
        given, counts = settings.event_weights[name], shop.event_types[name].weight
        if given != counts:
            yield (
                f"event_weights.{name} {given:g} does not count: the shop's settings say {counts:g}"
            )


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
