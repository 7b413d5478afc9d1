"""The rules of texts and times as JSON Schema has them.

`recsys.core.domain` enforces the same of texts; times become UTC milliseconds as they are read.
"""

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic.config import JsonDict

from recsys.core.limits import (
    MAX_CONTEXT_VALUE_CHARACTERS,
    MAX_ID_CHARACTERS,
    MAX_QUERY_CHARACTERS,
    MAX_TEXT_CHARACTERS,
)
from recsys.core.times import MAX_TIMESTAMP_MS, SMALLEST_MILLISECONDS, read_time_ms

# No control characters. Half a surrogate pair, refused too, is no character a pattern could name.
_CONTROLS = r"\u0000-\u001f\u007f-\u009f"
_PRINTABLE = rf"^[^{_CONTROLS}]*$"
_WITHOUT_SPACE_AROUND = rf"^[^\s{_CONTROLS}]([^{_CONTROLS}]*[^\s{_CONTROLS}])?$"

CONTEXT_VALUE_RULES: JsonDict = {
    "maxLength": MAX_CONTEXT_VALUE_CHARACTERS,
    "pattern": _PRINTABLE,
}
TEXT_RULES: JsonDict = {"maxLength": MAX_TEXT_CHARACTERS, "pattern": _PRINTABLE}
QUERY_RULES: JsonDict = {"minLength": 1, "maxLength": MAX_QUERY_CHARACTERS, "pattern": _PRINTABLE}
REQUEST_ID_RULES: JsonDict = {"minLength": 1, "maxLength": 128}
ID_RULES: JsonDict = {"minLength": 1, "maxLength": MAX_ID_CHARACTERS, "pattern": _PRINTABLE}
# Of an id that something is stored under: `new_identifier_problem`.
NEW_ID_RULES: JsonDict = {**ID_RULES, "pattern": _WITHOUT_SPACE_AROUND}

FILTER_RULES = (
    "A condition on the catalogue as it is at this moment, like one of SQL: `price`, `brand`, "
    "`category` and `tag` (any of an item's) and `attributes.NAME` with `=`, `!=`, `<`, `<=`, `>`, "
    "`>=`, `IN (...)`, `IS NULL`, joined by `AND`, `OR`, `NOT` and parentheses. Texts stand in "
    "quotes. Only items that fulfil it are recommended, however few there are. For placements, and "
    "with a key that is not public, `user.NAME` stands for what the shop says of the user, as in "
    "`attributes.size = user.size`."
)


# From 1974, see `recsys.core.times`, to 2099.
_RFC_3339 = (
    r"^(197[4-9]|19[89][0-9]|20[0-9]{2})-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-5][0-9]"
    r"(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
_SCHEMA = {
    "anyOf": [
        {"type": "string", "format": "date-time", "pattern": _RFC_3339},
        {"type": "integer", "minimum": SMALLEST_MILLISECONDS, "maximum": MAX_TIMESTAMP_MS},
    ]
}
TimeMs = Annotated[int, BeforeValidator(read_time_ms), WithJsonSchema(_SCHEMA)]
