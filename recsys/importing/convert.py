"""From a file's row to an event or an item."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from recsys.core.domain import Event, Item
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.times import read_file_time_ms
from recsys.importing.values import is_missing, read_flag, read_number, read_text

Values = Mapping[str, Any]
_Reader = Callable[[Any], Any]


class Skipped(Exception):
    """The row is well formed and deliberately not taken; the message says why, for the summary."""


def _read_categories(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(read_text(entry) for entry in value)
    return tuple(part.strip() for part in read_text(value).replace("|", ">").split(">"))


def _read_attributes(value: Any) -> dict[str, Any]:
    attributes = json.loads(value) if isinstance(value, str) else value
    if not isinstance(attributes, dict):
        raise ValueError("must be a JSON object")  # noqa: TRY004 - one exception for bad values
    return {name: _read_attribute(value) for name, value in attributes.items()}


def _read_attribute(value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        raise ValueError("must hold texts, numbers and booleans only")  # noqa: TRY004
    return float(value) if type(value) is int else value


_READERS: Mapping[str, _Reader] = {
    "timestamp": read_file_time_ms,
    "quantity": read_number,
    "price": read_number,
    "available": read_flag,
    "categories": _read_categories,
    "attributes": _read_attributes,
}


class _RowReader:
    """Reads the mapped fields of a row, and names every one that cannot be read."""

    def __init__(self, columns: Mapping[str, str], required: Iterable[str]) -> None:
        self._fields = [(name, column, _reader(name)) for name, column in columns.items()]
        self._required = [name for name in required if name in columns]

    def read(self, values: Values) -> dict[str, Any]:
        """
        Raises:
            InvalidInput: naming every field that is missing or not readable.
        """
        fields, problems = {}, []
        for name, column, reader in self._fields:
            value = values.get(column)
            if is_missing(value):
                continue
            try:
                fields[name] = reader(value)
            except ValueError as error:
                problems.append(FieldProblem(name, str(error)))
        named = fields.keys() | {problem.field for problem in problems}
        problems.extend(
            FieldProblem(name, "is missing") for name in self._required if name not in named
        )
        if problems:
            raise InvalidInput(problems)
        return fields


def _reader(field: str) -> _Reader:
    return _read_attribute if field.startswith("attributes.") else _READERS.get(field, read_text)


class EventConverter:
    """Makes events of rows; `event_type` is what rows have that name no type of their own."""

    def __init__(self, columns: Mapping[str, str], event_type: str | None = None) -> None:
        required = ["user_id", "item_id", "timestamp"] + ["event_type"] * (event_type is None)
        self._rows = _RowReader(columns, required)
        self._event_type = event_type

    def __call__(self, values: Values) -> Event:
        """
        Raises:
            InvalidInput: naming every field at fault.
        """
        fields = self._rows.read(values)
        fields["timestamp_ms"] = fields.pop("timestamp")
        fields.setdefault("event_type", self._event_type)
        if "event_id" not in fields:
            fields["event_id"] = _content_id(fields)
        return Event(**fields)


def _content_id(fields: Mapping[str, Any]) -> str:
    """An id that the same row has in every import, so that a rerun changes nothing."""
    content = json.dumps(fields, sort_keys=True).encode()
    return hashlib.blake2b(content, digest_size=16).hexdigest()


class ItemConverter:
    """Makes items of rows."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._rows = _RowReader(columns, ["item_id"])

    def __call__(self, values: Values) -> Item:
        """
        Raises:
            InvalidInput: naming every field at fault.
        """
        fields = self._rows.read(values)
        attributes = dict(fields.pop("attributes", {}))
        for name in [name for name in fields if name.startswith("attributes.")]:
            attributes[name.removeprefix("attributes.")] = fields.pop(name)
        return Item(**fields, attributes=attributes)
