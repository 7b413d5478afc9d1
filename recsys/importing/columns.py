"""Mapping of a file's columns to fields."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from recsys.core.errors import ConfigurationError

# Names a column may have, compared in lower case without punctuation; earlier ones win.
_EVENT_COLUMNS = {
    "event_id": ("eventid", "id"),
    "user_id": (
        "userid", "customerid", "shopperid", "visitorid", "householdid", "user", "customer",
    ),
    "item_id": ("itemid", "productid", "sku", "stockcode", "articleid", "item", "product"),
    "event_type": ("eventtype", "event", "type", "action"),
    "timestamp": (
        "timestamp", "timestampms", "eventtime", "datetime", "time", "invoicedate",
        "transactiontimestamp", "createdat", "date",
    ),
    "quantity": ("quantity", "qty"),
    "price": ("price", "unitprice"),
    "order_id": ("orderid", "basketid", "invoiceno", "transactionid", "order"),
}  # fmt: skip
_ITEM_COLUMNS = {
    "item_id": ("itemid", "productid", "sku", "stockcode", "articleid", "id", "item", "product"),
    "title": ("title", "name", "productname", "description"),
    "categories": ("categories", "category", "categorypath", "productcategory"),
    "brand": ("brand", "manufacturer"),
    "price": ("price", "unitprice"),
    "available": ("available", "instock", "availability"),
    "attributes": ("attributes",),
}
_ATTRIBUTE_PREFIX = "attributes."


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
ITEM_FIELDS = Fields("item", _ITEM_COLUMNS, frozenset({"item_id"}))


def resolve(
    fields: Fields, columns: Sequence[str], mapping: Iterable[str], constants: Iterable[str] = ()
) -> dict[str, str]:
    """The column of each field: as `mapping` ("COLUMN=FIELD" each) says, else by its name.

    Args:
        fields: what is looked for.
        columns: what the file has.
        mapping: the user's word, which goes before all guessing.
        constants: fields that need no column.

    Raises:
        ConfigurationError: a mapping names an unknown column or field, or a required field has no
            column; the message lists the columns there are and gives an example.
    """
    chosen = dict(_parse(fields, columns, entry) for entry in mapping)
    by_plain_name = {_plain(column): column for column in reversed(columns)}
    for field, names in fields.columns.items():
        guesses = [by_plain_name[name] for name in names if name in by_plain_name]
        free = [column for column in guesses if column not in chosen.values()]
        if free and field not in chosen:
            chosen[field] = free[0]
    missing = sorted(fields.required - chosen.keys() - set(constants))
    if missing:
        example = f"{columns[0] if columns else 'COLUMN'}={missing[0]}"
        raise ConfigurationError(
            f"no column for {', '.join(missing)} of the {fields.kind}s. "
            f"The file has: {', '.join(columns)}. "
            f"Name the column, for example: --mapping {example}"
        )
    return chosen


def _parse(fields: Fields, columns: Sequence[str], entry: str) -> tuple[str, str]:
    column, _, field = entry.rpartition("=")
    if not fields.allows(field):
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
    return "".join(character for character in name.lower() if character.isalnum())
