"""Read what comes in by pydantic, with its errors as ours."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.config import JsonDict

from recsys.core.errors import FieldProblem
from services.gateway.schemas.problems import invalid_input

_Body = TypeVar("_Body", bound=BaseModel)

# In the words of `recsys.core.domain`, for the kinds of which pydantic's are about Python.
_REASONS = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "model_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "list_type": "must be a JSON array",
    "string_unicode": "has half a surrogate pair",
    # No minimum is above one.
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
}
# Where pydantic says that it is the name of an object's member that is wrong, not the value.
_NAME_OF_MEMBER = "[key]"


def read_body(schema: type[_Body], body: object) -> _Body:
    """Read a body by its schema.

    Raises:
        ProblemError: naming every field at fault.
    """
    try:
        return schema.model_validate(body)
    except ValidationError as error:
        raise invalid_input(field_problems(error.errors())) from None


def taken_one_by_one(schema: str) -> JsonDict:
    """Describe a list that is taken when one of its entries fits a schema."""
    fits: JsonDict = {"$ref": f"#/components/schemas/{schema}"}
    return {
        "items": {"anyOf": [fits, {"description": "Anything else is rejected by itself."}]},
        "contains": fits,
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
    return ".".join(map(str, location)).removesuffix(f".{_NAME_OF_MEMBER}")


def _reason(error: Mapping[str, Any]) -> str:
    whose = "its name " if error["loc"][-1:] == (_NAME_OF_MEMBER,) else ""
    return whose + _words(error["type"], error)


def _words(kind: str, error: Mapping[str, Any]) -> str:
    if kind in ("string_too_long", "too_long"):
        size, most = len(error["input"]), error["ctx"]["max_length"]
        unit = "characters" if kind == "string_too_long" else "entries"
        return f"has {size} {unit}, at most {most} are allowed"
    if kind == "string_pattern_mismatch":
        return f"must match {error['ctx']['pattern']}"
    message: str = _REASONS.get(kind, error["msg"])
    return message.removeprefix("Value error, ").removeprefix("Input ")
