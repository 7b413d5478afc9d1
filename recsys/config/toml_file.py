"""A TOML file as a model that validates it: all faults at once, each with its setting."""

import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from recsys.core.errors import ConfigurationError, FieldProblem, InvalidSettings

_Model = TypeVar("_Model", bound=BaseModel)


def read_toml(
    file: Path | Traversable, kind: type[_Model], defaults: Mapping[str, Any] | None = None
) -> _Model:
    """Read a file.

    Args:
        defaults: what the file need not name at its top level.

    Raises:
        ConfigurationError: it is no valid TOML.
        InvalidSettings: naming every setting at fault.
        OSError: it cannot be read.
    """
    try:
        document = {**(defaults or {}), **tomllib.loads(file.read_text(encoding="utf-8"))}
        # The context lets a rule on one setting look at another that has faults of its own.
        return kind.model_validate(document, context=document)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} is not valid TOML: {error}") from error
    except ValidationError as error:
        problems = [
            FieldProblem(
                ".".join(map(str, fault["loc"])), fault["msg"].removeprefix("Value error, ")
            )
            for fault in error.errors()
        ]
        raise InvalidSettings(str(file), problems) from None
