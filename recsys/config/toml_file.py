"""A TOML file as a model that validates it: all faults at once, each with its setting."""

import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from recsys.config.faults import fault_reason, fault_setting
from recsys.core.errors import ConfigurationError, FieldProblem, InvalidSettings

_Model = TypeVar("_Model", bound=BaseModel)


def read_toml(file: Path | Traversable, kind: type[_Model]) -> _Model:
    """Read a file.

    Raises:
        ConfigurationError: it is no valid TOML.
        InvalidSettings: naming every setting at fault.
        OSError: it cannot be read.
    """
    return validated(file, toml_document(file), kind)


def toml_document(file: Path | Traversable) -> dict[str, Any]:
    """Read what a file says, whatever it is.

    Raises:
        ConfigurationError: it is no valid TOML.
        OSError: it cannot be read.
    """
    try:
        # Editors of Windows begin a file with a byte order mark.
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not valid TOML: {error}") from error


def validated(file: Path | Traversable, document: Mapping[str, Any], kind: type[_Model]) -> _Model:
    """Make a model of a document.

    Args:
        file: where its settings are, for messages.

    Raises:
        InvalidSettings: naming every setting at fault.
    """
    try:
        # The context lets a rule on one setting look at another that has faults of its own.
        return kind.model_validate(document, context=dict(document))
    except ValidationError as error:
        problems = [
            FieldProblem(fault_setting(fault), fault_reason(fault)) for fault in error.errors()
        ]
        raise InvalidSettings(str(file), problems) from None
