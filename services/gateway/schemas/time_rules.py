"""Times in the JSON that comes in: UTC milliseconds of what was written."""

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from recsys.core.times import MAX_TIMESTAMP_MS, SMALLEST_MILLISECONDS, read_time_ms

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
