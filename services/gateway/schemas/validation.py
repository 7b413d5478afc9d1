"""Translate pydantic's errors to ours."""

from collections.abc import Iterable, Mapping
from typing import Any

from recsys.core.errors import FieldProblem

_REASONS = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "model_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "list_type": "must be a JSON array",
    "string_unicode": "has half a surrogate pair",
}


def field_problems(errors: Iterable[Mapping[str, Any]], whole: str = "body") -> list[FieldProblem]:
    """One problem for each of pydantic's errors.

    Args:
        whole: the name of what was checked, for an error that concerns no single field.
    """
    return [FieldProblem(_field(error["loc"]) or whole, _reason(error)) for error in errors]


def parameter_problems(errors: Iterable[Mapping[str, Any]]) -> list[FieldProblem]:
    """The same of parameters: FastAPI puts first where one stands, and its name is enough."""
    return [FieldProblem(_field(error["loc"][1:]), _reason(error)) for error in errors]


def _field(location: tuple[str | int, ...]) -> str:
    return ".".join(map(str, location))


def _reason(error: Mapping[str, Any]) -> str:
    message: str = _REASONS.get(error["type"], error["msg"])
    return message.removeprefix("Value error, ").removeprefix("Input ")
