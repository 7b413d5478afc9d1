"""Numbers of a shop's settings."""

from typing import TypeVar

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_Value = TypeVar("_Value")


def _refuse_boolean(value: _Value) -> _Value:
    if isinstance(value, bool):
        raise PydanticCustomError("boolean", "must be a number, not true or false")
    return value


# Python takes true for 1: half_life_days = true would be a day.
NO_BOOLEAN = BeforeValidator(_refuse_boolean)
