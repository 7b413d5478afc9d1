"""Mapping of a file's columns to fields."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from recsys.core.errors import ConfigurationError

# Names a column may have, compared in lower case without punctuation; earlier ones win. A column
# "id" of events is none of these: it may number rows, orders or users.
_EVENT_COLUMNS = {
    "event_id": ("eventid",),
    "user_id": (
        "userid", "customerid", "shopperid", "visitorid", "clientid", "memberid", "householdid",
        "sessionid", "user", "customer", "visitor",
    ),
    "item_id": (
        "itemid", "productid", "sku", "stockcode", "articleid", "movieid", "artistid", "asin",
        "parentasin", "aid", "item", "product",
    ),
    "event_type": ("eventtype", "event", "eventname", "type", "action", "behaviortype", "behavior"),
    "timestamp": (
        "timestamp", "timestampms", "eventtime", "eventtimestamp", "datetime", "time", "ts",
        "invoicedate", "transactiontimestamp", "createdat", "orderdate", "date",
    ),
    "date": ("date", "day", "orderdate", "eventdate"),
    "time": ("time", "timeofday", "ordertime", "eventtime"),
    "quantity": ("quantity", "qty"),
    "price": ("price", "unitprice"),
    "order_id": ("orderid", "basketid", "invoiceno", "invoice", "transactionid", "order"),
    "rating": ("rating", "stars", "overall", "score", "eventvalue", "value"),
    "query": ("query", "searchquery", "searchterm", "searchphrase", "searchtext", "keyword"),
}  # fmt: skip
_ITEM_COLUMNS = {
    "item_id": (
        "itemid", "productid", "sku", "stockcode", "articleid", "movieid", "asin", "parentasin",
        "id", "item", "product",
    ),
    "title": ("title", "name", "productname", "description"),
    "categories": (
        "categories", "category", "categorypath", "productcategory", "producttype", "genres",
    ),
    "brand": ("brand", "manufacturer", "vendor"),
    "price": ("price", "unitprice"),
    "available": ("available", "instock", "availability"),
    "attributes": ("attributes",),
    # Not "quantity": in a file of orders, which may be read for its items, it is what was bought.
    "quantity": ("stock", "stockquantity", "quantityinstock", "inventory", "inventoryquantity"),
    "tags": ("tags", "labels"),
    "list_price": ("listprice", "compareatprice", "msrp", "regularprice", "originalprice"),
    "publish_ms": ("publishtime", "publishedat", "availabledate"),
    "expire_ms": ("expiretime", "expirationdate", "expiresat"),
    "created_ms": ("createtime", "createdat", "datecreated", "dateadded"),
}  # fmt: skip
_ATTRIBUTE_PREFIX = "attributes."
_PARTS_OF_TIME = ("date", "time")


@dataclass(frozen=True, slots=True)
class Fields:
    """Fields of a kind of record: usual column names of each, and those that are required."""

    kind: str
    columns: Mapping[str, Sequence[str]]
    required: frozenset[str]

    def allows(self, field: str) -> bool:
        is_attribute = "attributes" in self.columns and field.startswith(_ATTRIBUTE_PREFIX)
        return field in self.columns or is_attribute


EVENT_FIELDS = Fields(
    "event", _EVENT_COLUMNS, frozenset({"user_id", "item_id", "event_type", "timestamp"})
)
# By its quantity a return is told from a purchase, whatever quantities count.
_EVALUATED = (
    *("user_id", "item_id", "event_type", "timestamp", "date", "time", "value"),
    "quantity",
)
ITEM_FIELDS = Fields("item", _ITEM_COLUMNS, frozenset({"item_id"}))


def evaluated_fields(details: Iterable[str]) -> Fields:
    """The fields that `recsys evaluate` reads: a value multiplies the weight of an event.

    Args:
        details: those of quantity, price and rating that count in the shop.
    """
    names = dict.fromkeys((*_EVALUATED, *details))
    columns = {field: _EVENT_COLUMNS.get(field, (field,)) for field in names}
    return Fields("event", columns, frozenset({"user_id", "item_id"}))


class FoundColumns:
    """The columns of a file's fields; those of JSON Lines may appear late.

    Raises:
        ConfigurationError: see `resolve`.
    """

    def __init__(
        self,
        fields: Fields,
        columns: Iterable[str],
        mapping: Iterable[str],
        constants: Iterable[str] = (),
    ) -> None:
        self._fields, self._mapping, self._constants = fields, tuple(mapping), tuple(constants)
        self._seen = list(columns)
        self.by_field = self._resolved()

    def see(self, columns: Iterable[str]) -> None:
        """Take notice of new columns; a field that has one keeps it."""
        new = [column for column in columns if column not in self._seen]
        if not new:
            return
        self._seen += new
        taken = set(self.by_field.values())
        late = self._resolved().items()
        self.by_field |= {
            field: column
            for field, column in late
            if field not in self.by_field and column not in taken
        }

    @property
    def unused(self) -> list[str]:
        """Columns that are no field's, nor an object with an entry that is."""
        used = tuple(self.by_field.values())
        return [
            column
            for column in self._seen
            if column not in used and not any(each.startswith(f"{column}.") for each in used)
        ]

    def _resolved(self) -> dict[str, str]:
        found = resolve(self._fields, self._seen, self._mapping, self._constants)
        for field in self._constants:
            # A constant goes before a guess, and only fills what a column named by hand leaves out.
            if not any(entry.endswith(f"={field}") for entry in self._mapping):
                found.pop(field, None)
        return found


def resolve(
    fields: Fields, columns: Sequence[str], mapping: Iterable[str], constants: Iterable[str] = ()
) -> dict[str, str]:
    """The column of each field: as `mapping` ("COLUMN=FIELD" each) says, else by its name.

    Args:
        fields: what is looked for.
        columns: what the file has.
        mapping: the user's word, which goes before all guessing; "COLUMN=" leaves a column out.
        constants: fields that need no column.

    Raises:
        ConfigurationError: a mapping names an unknown column or field, or a required field has no
            column; the message lists the columns there are and gives an example.
    """
    entries = [_parse(fields, columns, entry) for entry in mapping]
    chosen = {field: column for field, column in entries if field}
    left_out = {column for field, column in entries if not field}
    by_plain_name = defaultdict[str, list[str]](list)
    for column in columns:
        if column not in left_out:
            by_plain_name[_plain(column)].append(column)
    for field, names in fields.columns.items():
        if field in chosen or field in _PARTS_OF_TIME:
            continue
        known = (by_plain_name[name] for name in names if name in by_plain_name)
        free = [alike for alike in known if not set(alike) & set(chosen.values())]
        if free:
            chosen[field] = _only(fields, field, free[0])
    _join_day_and_clock(fields, chosen, by_plain_name)
    named = chosen.keys() | ({"timestamp"} if "date" in chosen else set())
    missing = sorted(fields.required - named - set(constants))
    if missing:
        free_columns = (column for column in columns if column not in chosen.values())
        example = f"{next(free_columns, 'COLUMN')}={missing[0]}"
        raise ConfigurationError(
            f"no column for {', '.join(missing)} of the {fields.kind}s. "
            f"The file has: {', '.join(columns)}. "
            f"Name the column, for example: --mapping {example}"
        )
    return chosen


def _only(fields: Fields, field: str, alike: Sequence[str]) -> str:
    if len(alike) > 1:
        raise ConfigurationError(
            f"{' and '.join(alike)} may both be the {field} of the {fields.kind}s: say which, for"
            f" example: --mapping {alike[0]}={field}"
        )
    return alike[0]


def _join_day_and_clock(
    fields: Fields, chosen: dict[str, str], by_plain_name: Mapping[str, Sequence[str]]
) -> None:
    """See that times are of one column, or of one with the day and another with the clock."""
    if "timestamp" not in fields.columns:
        return
    parts = {
        part: chosen.get(part) or next(iter(_columns_of(fields, part, by_plain_name)), None)
        for part in _PARTS_OF_TIME
    }
    guessed = chosen.get("timestamp")
    is_part = guessed in parts.values() and _plain(guessed or "") in _PARTS_OF_TIME
    by_hand = "date" in chosen and "time" in chosen
    if by_hand or (is_part and all(parts.values()) and len(set(parts.values())) > 1):
        chosen.pop("timestamp", None)
        chosen.update({part: column for part, column in parts.items() if column})
    elif "date" in chosen:
        chosen["timestamp"] = chosen.pop("date")


def _columns_of(
    fields: Fields, field: str, by_plain_name: Mapping[str, Sequence[str]]
) -> list[str]:
    names = fields.columns[field]
    return [column for name in names for column in by_plain_name.get(name, ())]


def _parse(fields: Fields, columns: Sequence[str], entry: str) -> tuple[str, str]:
    column, _, field = entry.rpartition("=")
    if field and not fields.allows(field):
        known = ", ".join(fields.columns)
        raise ConfigurationError(
            f"--mapping {entry}: {field!r} is no field of {fields.kind}s; expected COLUMN=FIELD "
            f"with one of {known}"
        )
    if column not in columns:
        raise ConfigurationError(
            f"--mapping {entry}: there is no column {column!r}; the file has: {', '.join(columns)}"
        )
    return field, column


def _plain(name: str) -> str:
    # RecBole names a column with its type: "user_id:token".
    name = name.partition(":")[0].lower()
    return "".join(character for character in name if character.isalnum())
