"""Reading single values the way different files write them; for times see `times`."""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

# What programs write where there is no value, in the spellings they use: "Na" may be a name.
MISSING_WORDS = (
    "NaN", "nan", "NAN", "null", "NULL", "Null", "None", "none", "NONE", "\\N", "NA", "N/A", "n/a",
    "#N/A", "<NA>", "(not set)", "undefined",
)  # fmt: skip
_MISSING = frozenset(MISSING_WORDS)
# An id that a table read as a number and wrote again: "17850.0", or "5.4E+07" without its end.
WHOLE_FLOAT = r"^-?[0-9]+\.0+$"
EXPONENT = r"^[+-]?[0-9]+(\.[0-9]+)?[eE]\+[0-9]+$"
# What keeps the zeros of an id in Excel: ="00042".
FORMULA_TEXT = r'^="[^"]*"$'
_WHOLE_FLOAT, _EXPONENT = re.compile(WHOLE_FLOAT), re.compile(EXPONENT)
_FORMULA_TEXT = re.compile(FORMULA_TEXT)
# The beginning of a list or an object of JSON, or of Python; "[E-COM07]" may be an id.
JSON_TEXT = r"""^(\[[\["'{]|\{["'])"""
_JSON = re.compile(JSON_TEXT)
# Larger ones are not exact as floating numbers.
_MAX_EXACT = 2**53

_TRUE = {
    "true", "1", "yes", "y", "t", "instock", "available", "active", "preorder", "backorder",
    "limitedavailability", "onlineonly", "instoreonly", "presale", "availablefororder",
}  # fmt: skip
_FALSE = {
    "false", "0", "no", "n", "f", "outofstock", "soldout", "unavailable", "inactive",
    "notavailable", "discontinued", "draft", "archived",
}  # fmt: skip
_CURRENCY = re.compile(r"([^\d.,+()-]*)([+-]?[\d.,'\s\u00a0\u202f]*\d)([^\d.,+()-]*)(-?)")
# Minus signs and dashes that stand for one, as spreadsheets and typesetting write them.
_MINUS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d", "-"))
# "1.5k" is no 1.5 in a currency named k.
_MULTIPLIERS = {"k", "m", "b", "mio", "mn", "bn", "tsd"}
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_UNCLEAR = "may be a thousand times more or less: say --decimal comma or --decimal point"


class Decimals(StrEnum):
    """Meaning of `,` in numbers; AUTO takes it where only one is possible."""

    AUTO = "auto"
    POINT = "point"
    COMMA = "comma"


def is_missing(value: Any) -> bool:
    """None, NaN, a blank text, and the words that stand for "no value"."""
    if isinstance(value, str):
        stripped = value.strip()
        return not stripped or stripped in _MISSING
    return value is None or (isinstance(value, float) and math.isnan(value))


def read_text(value: Any) -> str:
    """Text without surrounding space, whole numbers without ".0".

    Raises:
        ValueError: for what is neither text nor number.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bytes):
        raise ValueError(  # noqa: TRY004 - one exception for every bad value
            "must be text, not bytes: write the column as hex or as a UUID"
        )
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be text")  # noqa: TRY004 - one exception for every bad value
    if not isinstance(value, int) and value == value.__floor__():
        return str(int(value))
    return str(value)


def read_id(value: Any) -> str:
    """Text of an id as it was before a table changed it: 17850.0 is 17850, and ="00042" is 00042.

    Raises:
        ValueError: for what is no text and no number, or a number that has lost its end.
    """
    if isinstance(value, float) and abs(value) > _MAX_EXACT:
        raise ValueError("is too large a number to be exact")
    text = read_text(value)
    if _FORMULA_TEXT.fullmatch(text):
        return text[2:-1].strip()
    if _WHOLE_FLOAT.fullmatch(text):
        return text.partition(".")[0]
    if _JSON.match(text):
        raise ValueError(
            "is a list or an object, no id: in JSON and Parquet --explode reads its parts"
        )
    if _EXPONENT.fullmatch(text):
        raise ValueError("is a rounded number, no id: export the column as text")
    return text


def read_number(value: Any, decimals: Decimals = Decimals.AUTO) -> float:
    """
    Raises:
        ValueError: for what is no number.
    """
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError("must be a number") from None
    if not isinstance(value, str):
        raise ValueError("must be a number")  # noqa: TRY004
    text = value.strip()
    if decimals is not Decimals.COMMA and _PLAIN_NUMBER.fullmatch(text):
        return float(text)
    return _read_money(text, decimals)


def has_decimal_comma(value: Any) -> bool:
    """Tell whether a text can only be a number with a decimal comma: "12,50" or "1.234,5"."""
    digits = _digits(value) if isinstance(value, str) else None
    if not digits or digits.count(",") != 1:
        return False
    before, _, after = digits.partition(",")
    return "." not in after and ("." in before or len(after) != 3)


def _read_money(text: str, decimals: Decimals) -> float:
    """A number with its currency, and points or commas between thousands."""
    digits = _digits(text)
    if digits is None:
        raise ValueError("must be a number")
    if decimals is Decimals.AUTO:
        decimals = _decimals_of(digits)
    point, separator = (",", ".") if decimals is Decimals.COMMA else (".", ",")
    whole, _, part = digits.replace("'", "").partition(point)
    groups = whole.lstrip("+-").split(separator)
    if separator in part or point in part or any(len(group) != 3 for group in groups[1:]):
        raise ValueError("must be a number")
    return float(f"{whole.replace(separator, '')}.{part or 0}")


def _decimals_of(digits: str) -> Decimals:
    if "," not in digits:
        return Decimals.COMMA if digits.count(".") > 1 else Decimals.POINT
    if "." in digits:
        return Decimals.COMMA if digits.rindex(",") > digits.rindex(".") else Decimals.POINT
    if digits.count(",") > 1:
        return Decimals.POINT
    if has_decimal_comma(digits):
        return Decimals.COMMA
    raise ValueError(_UNCLEAR)


def _digits(text: str) -> str | None:
    """The number in "EUR 1 234,50", without spaces; None where there is none.

    A minus may be any dash, stand behind the number, or be a pair of brackets, as in accounts:
    taken for a part of the currency it would make a purchase of what was given back.
    """
    plain = text.strip().translate(_MINUS)
    in_brackets = plain.startswith("(") and plain.endswith(")")
    found = _CURRENCY.fullmatch(plain[1:-1] if in_brackets else plain)
    if not found or found[3].strip(" .").lower() in _MULTIPLIERS:
        return None
    digits, minuses = re.sub(r"\s", "", found[2]), in_brackets + bool(found[4])
    if minuses and (minuses > 1 or digits[0] in "+-"):
        return None
    return f"-{digits}" if minuses else digits


def read_flag(value: Any) -> bool:
    """Read whether something is there: yes and no in many words, or how many there are.

    Raises:
        ValueError: for what says neither.
    """
    if isinstance(value, int | float | Decimal):
        return value > 0
    text = str(value).strip().lower().rpartition("/")[2]
    # Before words: without its sign -1 would be one.
    if _PLAIN_NUMBER.fullmatch(text):
        return float(text) > 0
    word = "".join(character for character in text if character.isalnum())
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise ValueError("must say yes or no, such as true, in stock, out of stock, or a number")


def read_list(value: Any, separators: str) -> tuple[str, ...]:
    """Texts of a list, or of lists within it, or one text with any of these characters between."""
    if isinstance(value, list | tuple):
        return tuple(dict.fromkeys(_texts(value)))
    parts = re.split(f"[{re.escape(separators)}]", read_text(value))
    return tuple(dict.fromkeys(part.strip() for part in parts))


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _texts(value)
        elif not is_missing(value):
            yield read_text(value)


def read_attributes(value: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """What can be an attribute of a JSON object, and the names of the others with the reason.

    Raises:
        ValueError: it is no object.
    """
    attributes = json.loads(value) if isinstance(value, str) else value
    if not isinstance(attributes, Mapping):
        raise ValueError("must be a JSON object")  # noqa: TRY004 - one exception for bad values
    found, left_out = dict[str, Any](), list[tuple[str, str]]()
    for name, each in attributes.items():
        try:
            found[name] = read_attribute(each)
        except ValueError as error:
            left_out.append((name, str(error)))
    return found, left_out


def read_attribute(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if not isinstance(value, bool | int | float | str):
        raise ValueError("must be a text, a number or a boolean")  # noqa: TRY004
    return float(value) if type(value) is int else value
