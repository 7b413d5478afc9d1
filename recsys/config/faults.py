"""Faults that pydantic finds in settings, in the words of a file's author, not of Python."""

import re
from collections.abc import Mapping
from typing import Any

from recsys.core.wording import pluralize

_REASONS = {
    "missing": "is required",
    "extra_forbidden": "is not a known setting",
    "unexpected_keyword_argument": "is not a known setting",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "dataclass_type": "must be a table",
    "list_type": "must be a list",
    "set_type": "must be a list",
    "tuple_type": "must be a list",
    "string_too_short": "must not be empty",
}
# Of any kind that is not above: "Input should be less than 3".
_SHOULD = re.compile(r"^[A-Z][a-z]+ should ")
# Where pydantic says that it is the name of a table that is wrong, not what is in it.
_NAME_OF_TABLE = "[key]"


def fault_text(error: Mapping[str, Any]) -> str:
    """One line for one of `ValidationError.errors()`: the setting, and what is wrong with it."""
    setting = fault_setting(error)
    return f"{setting}: {fault_reason(error)}" if setting else fault_reason(error)


def fault_setting(error: Mapping[str, Any]) -> str:
    return ".".join(map(str, error["loc"])).removesuffix(f".{_NAME_OF_TABLE}")


def fault_reason(error: Mapping[str, Any]) -> str:
    whose = "its name " if error["loc"][-1:] == (_NAME_OF_TABLE,) else ""
    return whose + _words(error["type"], error)


def _words(kind: str, error: Mapping[str, Any]) -> str:
    context = error.get("ctx", {})
    if kind == "too_short":
        return f"must have at least {pluralize(context['min_length'], 'entry', 'entries')}"
    if kind == "too_long":
        return f"must have at most {pluralize(context['max_length'], 'entry', 'entries')}"
    if kind == "string_pattern_mismatch":
        return f"must match {context['pattern']}"
    message: str = _REASONS.get(kind, error["msg"])
    return _SHOULD.sub("must ", message).removeprefix("Value error, ")
