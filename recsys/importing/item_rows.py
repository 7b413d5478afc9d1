"""From a file's columns to the rows of items, of which several may be about one item."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from recsys.core.domain import Item
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.times import MAX_TIMESTAMP_MS
from recsys.importing.columns import ITEM_FIELDS, FoundColumns
from recsys.importing.converted import Converted, is_strict, line_of
from recsys.importing.source import BadRow, RawBatch
from recsys.importing.times import Moments, TimeOptions, TimeReader
from recsys.importing.values import (
    Decimals,
    has_decimal_comma,
    is_missing,
    read_attribute,
    read_attributes,
    read_flag,
    read_id,
    read_list,
    read_number,
    read_text,
)

_ATTRIBUTE = "attributes."
# Named in problems as in the API.
_FIELDS_OF_PROBLEMS = {
    "publish_time": "publish_ms",
    "expire_time": "expire_ms",
    "create_time": "created_ms",
}
_NUMBERS = ("price", "list_price", "quantity")
# A comma may be part of a category's name; between tags it is what nearly all systems write.
_BETWEEN_TAGS = ","
_READERS: Mapping[str, Callable[[Any], Any]] = {
    "item_id": read_id,
    "available": read_flag,
}
_TIMES = ("publish_ms", "expire_ms", "created_ms")


class ItemRow(NamedTuple):
    """What a row says of an item; fields that it leaves blank are not there."""

    item_id: str
    fields: Mapping[str, Any]

    def merged_into(self, item: Item | None) -> Item:
        """Make the item with what the row says, and the rest as it was."""
        if item is None:
            return Item(self.item_id, **self.fields)
        attributes = {**item.attributes, **self.fields.get("attributes", {})}
        return replace(item, **{**self.fields, "attributes": attributes})


@dataclass(frozen=True, slots=True)
class ItemOptions:
    """How the columns of a file become items.

    Attributes:
        mapping: "COLUMN=FIELD" each; fields not named are found by the names of the columns.
        if_there: the same of columns that a file may lack, where `mapping` does not name the field.
        shown_if: "COLUMN=WORD|WORD" each, of columns that a file may lack: an item of which one
            says anything else is not available, whatever its stock, of this row or of later ones
            that do not say. Being shown says nothing of the stock: it makes no item available.
        hidden_if: the same with the words by which an item is not available.
        separators: characters between the categories of a text, and between tags.
        update: rows change the fields they have of stored items, instead of replacing these.
    """

    mapping: tuple[str, ...] = ()
    decimals: Decimals = Decimals.AUTO
    update: bool = False
    separators: str = ">|"
    if_there: tuple[str, ...] = ()
    shown_if: tuple[str, ...] = ()
    hidden_if: tuple[str, ...] = ()

    def mapping_for(self, columns: Sequence[str]) -> list[str]:
        """The mapping of a file with these columns."""
        # Without what is left out, a column that has no field.
        named = {entry.rpartition("=")[2] for entry in self.mapping} - {""}
        usual = (entry.rpartition("=")[::2] for entry in self.if_there)
        there = [
            f"{column}={field}"
            for column, field in usual
            if column in columns and field not in named
        ]
        return [*self.mapping, *there]

    def words_of(self, entries: Sequence[str]) -> dict[str, list[str]]:
        """Words by column, of `shown_if` or `hidden_if`, without columns left out by hand."""
        left_out = {entry.removesuffix("=") for entry in self.mapping if entry.endswith("=")}
        found = (entry.rpartition("=")[::2] for entry in entries)
        return {column: words.split("|") for column, words in found if column not in left_out}


class ItemReader:
    """Reads the batches of one file.

    Raises:
        ConfigurationError: the columns do not make items.
    """

    def __init__(self, columns: Sequence[str], options: ItemOptions) -> None:
        self._found = FoundColumns(ITEM_FIELDS, columns, options.mapping_for(columns))
        self._decimals = options.decimals
        self._separators = options.separators
        self._shown_if = options.words_of(options.shown_if)
        self._hidden_if = options.words_of(options.hidden_if)
        # Columns that hide an item, by the rows so far: its variants have rows that do not say.
        self._hiding = dict[str, frozenset[str]]()
        # Unlike an event, an item may be of any future.
        self._times = {field: TimeReader(TimeOptions(), MAX_TIMESTAMP_MS) for field in _TIMES}

    @property
    def columns(self) -> Mapping[str, str]:
        """Column by field, and by what else is read of it."""
        others = (column for column in self._found.unused if self._tells_shown(column))
        return {**self._found.by_field, **{f"available by {column}": column for column in others}}

    @property
    def unused(self) -> list[str]:
        """Columns that are no field's."""
        return [column for column in self._found.unused if not self._tells_shown(column)]

    def read(self, batch: RawBatch) -> Converted[list[ItemRow]]:
        """Read a batch; rows that break a rule, and optional values that do, are told."""
        self._found.see(batch.columns)
        self._find_decimals(batch)
        rows, bad, dropped = list[ItemRow](), list(batch.bad), Counter[str]()
        times = self._read_times(batch)
        for place, (line, values) in enumerate(batch.rows()):
            try:
                rows.append(self._read_row(values, place, times, dropped))
            except InvalidInput as error:
                bad.append(BadRow(line, str(error), batch.raw(place)))
        return Converted(
            rows, sorted(bad, key=line_of), len(batch) + len(batch.bad), dropped=dropped
        )

    def _read_times(self, batch: RawBatch) -> dict[str, Moments]:
        """Read whole columns, whose other times tell the unit and the order of days."""
        there = ((field, batch.columns.get(self.columns.get(field, ""))) for field in _TIMES)
        return {
            field: self._times[field].read(column) for field, column in there if column is not None
        }

    def _find_decimals(self, batch: RawBatch) -> None:
        column = batch.columns.get(self.columns.get("price", ""))
        if column is not None and self._decimals is Decimals.AUTO:
            values = column if isinstance(column, list) else column.to_pylist()
            if any(map(has_decimal_comma, values)):
                self._decimals = Decimals.COMMA

    def _read_row(
        self,
        values: Mapping[str, Any],
        place: int,
        times: Mapping[str, Moments],
        dropped: Counter[str],
    ) -> ItemRow:
        """
        Raises:
            InvalidInput: naming what costs the row.
        """
        fields, problems = dict[str, Any](), list[FieldProblem]()
        for field, column in self._found.by_field.items():
            value = values.get(column)
            if is_missing(value):
                continue
            try:
                if field == "attributes":
                    fields[field], left_out = read_attributes(value)
                    problems += [FieldProblem(f"{field}.{name}", why) for name, why in left_out]
                elif field in _TIMES:
                    fields[field] = _moment(times[field], place)
                else:
                    fields[field] = self._read_value(field, value)
            except ValueError as error:
                problems.append(FieldProblem(field, str(error)))
        if not any(problem.field == "item_id" for problem in problems) and "item_id" not in fields:
            problems.append(FieldProblem("item_id", "is missing"))
        item_id = fields.pop("item_id", "")
        for name in [name for name in fields if name.startswith(_ATTRIBUTE)]:
            fields.setdefault("attributes", {})[name.removeprefix(_ATTRIBUTE)] = fields.pop(name)
        problems += _take_out_invalid(item_id, fields)
        costly = [problem for problem in problems if _costs_the_row(problem)]
        if costly:
            raise InvalidInput(costly)
        dropped.update(map(str, problems))
        if self._note_hiding(item_id, values):
            fields["available"] = False
        return ItemRow(item_id, fields)

    def _tells_shown(self, column: str) -> bool:
        return column in self._shown_if or column in self._hidden_if

    def _note_hiding(self, item_id: str, values: Mapping[str, Any]) -> bool:
        """Note which columns hide the item, by the last row that says; tell whether any does."""
        said = {
            column: self._hides(column, values[column])
            for column in (*self._shown_if, *self._hidden_if)
            if not is_missing(values.get(column))
        }
        hiding = self._hiding.pop(item_id, frozenset()) - said.keys()
        hiding |= {column for column, hides in said.items() if hides}
        if hiding:
            self._hiding[item_id] = hiding
        return bool(hiding)

    def _hides(self, column: str, value: Any) -> bool:
        if column in self._shown_if:
            return _word(value) not in self._shown_if[column]
        return _word(value) in self._hidden_if[column]

    def _read_value(self, field: str, value: Any) -> Any:
        if field in _NUMBERS:
            return read_number(value, self._decimals)
        if field == "categories":
            return read_list(value, self._separators)
        if field == "tags":
            return read_list(value, self._separators + _BETWEEN_TAGS)
        if field.startswith(_ATTRIBUTE):
            return read_attribute(value)
        reader: Callable[[Any], Any] = _READERS.get(field, read_text)
        return reader(value)


def _word(value: Any) -> str:
    # Spreadsheets write 1.0 for 1 below an empty cell.
    return str(value).strip().lower().removesuffix(".0")


def _moment(times: Moments, place: int) -> int:
    try:
        return times.at(place)
    except ValueError:
        # What it says names options that files of items have not.
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z") from None


def _take_out_invalid(item_id: str, fields: dict[str, Any]) -> list[FieldProblem]:
    """Take out what the domain refuses; the problems it had."""
    try:
        Item(item_id or "-", **fields)
    except InvalidInput as error:
        for problem in error.problems:
            field, _, rest = problem.field.partition(".")
            if field == "attributes" and rest:
                fields["attributes"].pop(rest, None)
            else:
                fields.pop(_FIELDS_OF_PROBLEMS.get(field, field), None)
        return list(error.problems)
    return []


def _costs_the_row(problem: FieldProblem) -> bool:
    return problem.field == "item_id" or is_strict(problem.field)
