"""From a file's columns to events, still in columns."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from recsys.core.errors import ConfigurationError
from recsys.core.event_types import WITHOUT_SCALE, EventTypes
from recsys.importing.column_values import Ids, NumberReader, Problems, read_ids, read_queries
from recsys.importing.columns import Fields, FoundColumns
from recsys.importing.converted import Converted, is_strict, line_of
from recsys.importing.event_batch import EventBatch
from recsys.importing.event_type_names import EventTypeNames, parse_event_types
from recsys.importing.ratings import on_scale
from recsys.importing.source import BadRow, Column, Elements, RawBatch
from recsys.importing.times import TimeOptions, TimeReader
from recsys.importing.values import Decimals

WITHOUT_IDS = "no user_id or no item_id"
_NUMBERS = ("quantity", "price", "value")


@dataclass(frozen=True, slots=True)
class EventOptions:
    """How the columns of a file become events.

    Attributes:
        mapping: "COLUMN=FIELD" each; fields not named are found by the names of the columns.
        event_type: the type of all events, whatever a column that was not named says.
        event_types: what the file calls the shop's types: "cart=add_to_cart,pv=view".
    """

    mapping: tuple[str, ...] = ()
    event_type: str | None = None
    event_types: str = ""
    times: TimeOptions = field(default_factory=TimeOptions)
    decimals: Decimals = Decimals.AUTO


class EventReader:
    """Reads the batches of one file.

    Args:
        wanted: the fields that are read, and those there have to be.
        columns: of the file, as far as they are known.
        event_types: those of the shop.
        now_ms: events may be a day ahead of it, no more.
        leaves_out: whether rows without user or item are skipped, not rejected.

    Raises:
        ConfigurationError: the columns do not make events, or an event type is not of the shop.
    """

    def __init__(
        self,
        wanted: Fields,
        columns: Sequence[str],
        options: EventOptions,
        event_types: EventTypes,
        now_ms: int,
        *,
        leaves_out: bool = False,
    ) -> None:
        self._leaves_out = leaves_out
        self._required = wanted.required
        constants = ["event_type"] if options.event_type else []
        self._found = FoundColumns(wanted, columns, options.mapping, constants)
        self._event_types = event_types
        given = parse_event_types(options.event_types, event_types)
        self._type_name = EventTypeNames(event_types, given)
        self._event_type = options.event_type and self._checked_type(options.event_type)
        self._times = TimeReader(options.times, now_ms)
        self._numbers = {
            name: NumberReader(options.decimals)
            for name in ("quantity", "price", "value", "rating")
        }

    @property
    def columns(self) -> Mapping[str, str]:
        """Column by field."""
        return self._found.by_field

    @property
    def unused(self) -> list[str]:
        """Columns that are no field's."""
        return self._found.unused

    def read(self, batch: RawBatch) -> Converted[EventBatch]:
        """Read a batch; rows that break a rule, and optional values that do, are told."""
        self._found.see(batch.columns)
        account = _Account()
        found = self._read_columns(batch, account)
        good = np.ones(len(batch), np.bool_)
        without_ids = account.without_ids if self._leaves_out else set[int]()
        for place in without_ids:
            account.reasons.pop(place, None)
        good[[*account.reasons, *without_ids]] = False
        bad = [
            BadRow(int(batch.lines[place]), "; ".join(reasons), batch.raw(place))
            for place, reasons in sorted(account.reasons.items())
        ]
        return Converted(
            records=found if good.all() else found[np.flatnonzero(good)],
            bad=sorted([*batch.bad, *bad], key=line_of),
            rows=len(batch) + len(batch.bad),
            skipped=Counter({WITHOUT_IDS: len(without_ids)}) if without_ids else Counter(),
            dropped=account.dropped,
        )

    def _checked_type(self, name: str) -> str:
        try:
            return self._type_name(name)
        except ValueError as error:
            raise ConfigurationError(f"--event-type {error}") from error

    def _read_columns(self, batch: RawBatch, account: "_Account") -> EventBatch:
        def ids(name: str, read: Callable[[Column], Ids] = read_ids) -> Ids | None:
            if name not in self.columns:
                return None
            found = read(self._column(batch, name))
            account.note(name, found.problems, is_strict=self._is_strict(name))
            return found

        def required(name: str) -> Ids:
            found = ids(name)
            assert found is not None  # noqa: S101 - it is a required column
            account.without_ids |= account.note_missing(name, found.codes < 0)
            return found

        def numbers(name: str) -> NDArray[np.float64]:
            found = self._numbers[name].read(self._column(batch, name))
            account.note(name, found.problems, is_strict=self._is_strict(name))
            return found.values

        named = partial(read_ids, named=self._type_name)
        return EventBatch(
            lines=batch.lines,
            users=required("user_id"),
            items=required("item_id"),
            types=(types := self._types(ids("event_type", named), account, len(batch))),
            timestamps_ms=self._read_times(batch, account),
            event_ids=ids("event_id", partial(self._read_event_ids, batch.elements)),
            order_ids=ids("order_id"),
            queries=ids("query", read_queries),
            numbers={name: numbers(name) for name in _NUMBERS if name in self.columns}
            | self._read_ratings(batch, types, account),
        )

    def _read_event_ids(self, elements: Elements | None, column: Column) -> Ids:
        found = read_ids(column)
        if elements is None or self.columns["event_id"] not in elements.repeated:
            return found
        # The id of an order is not that of each of its lines, of which all but one would be lost.
        numbered = [
            f"{found.names[code]}:{place}" if code >= 0 else None
            for code, place in zip(found.codes.tolist(), elements.places.tolist(), strict=True)
        ]
        again = read_ids(pa.array(numbered, pa.string()))
        return Ids(again.names, again.codes, {**again.problems, **found.problems})

    def _is_strict(self, name: str) -> bool:
        # A type that is not known is nothing that can be left out.
        return name in self._required or name == "event_type" or is_strict(name)

    def _column(self, batch: RawBatch, name: str) -> Column:
        """A column of a batch; one that a file has in other batches has no values in this."""
        column = batch.columns.get(self.columns[name])
        return [None] * len(batch) if column is None else column

    def _types(self, found: Ids | None, account: "_Account", rows: int) -> Ids | None:
        given = self._event_type
        if found is None:
            return Ids([given], np.zeros(rows, np.int32), {}) if given else None
        if given is None:
            account.note_missing("event_type", found.codes < 0)
            return found
        codes = np.where(found.codes < 0, len(found.names), found.codes).astype(np.int32)
        return Ids([*found.names, given], codes, {})

    def _read_ratings(
        self, batch: RawBatch, types: Ids | None, account: "_Account"
    ) -> dict[str, NDArray[np.float64]]:
        if "rating" not in self.columns or types is None:
            return {}
        read = self._numbers["rating"].read(self._column(batch, "rating"))
        found = on_scale(read, types, self._event_types)
        account.note("rating", found.problems, is_strict=True)
        account.note("rating", found.left_out, is_strict=False)
        if found.without_scale:
            account.dropped[f"rating: {WITHOUT_SCALE}"] += found.without_scale
        return {"rating": found.values}

    def _read_times(self, batch: RawBatch, account: "_Account") -> NDArray[np.int64] | None:
        if "date" in self.columns:
            days, clock = (self._column(batch, name) for name in ("date", "time"))
            moments = self._times.read(days, clock)
        elif "timestamp" in self.columns:
            moments = self._times.read(self._column(batch, "timestamp"))
        else:
            return None
        account.note("timestamp", moments.problems, is_strict=True)
        account.note_missing("timestamp", ~moments.is_there)
        return moments.ms


class _Account:
    """Problems of a batch: the reasons of each bad row, and what was dropped."""

    def __init__(self) -> None:
        self.reasons: dict[int, list[str]] = {}
        self.dropped: Counter[str] = Counter()
        self.without_ids: set[int] = set()

    def note(self, name: str, problems: Problems, *, is_strict: bool) -> None:
        for place, reason in problems.items():
            if is_strict:
                self.reasons.setdefault(place, []).append(f"{name}: {reason}")
            else:
                self.dropped[f"{name}: {reason}"] += 1

    def note_missing(self, name: str, is_missing: NDArray[np.bool_]) -> set[int]:
        """Note where a field has neither value nor problem; these places."""
        missing = set[int]()
        for place in np.flatnonzero(is_missing).tolist():
            reasons = self.reasons.setdefault(place, [])
            if not any(reason.startswith(f"{name}:") for reason in reasons):
                reasons.append(f"{name}: is missing")
                missing.add(place)
        return missing
