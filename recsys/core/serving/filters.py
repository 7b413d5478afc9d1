"""Filters: conditions on the live catalogue, as text.

The grammar is that of a condition in SQL over the fields of an item:

    category = "Candles" AND price <= 20 AND NOT brand IN ("Hearts & Co", "Acme")
    attributes.colour = "white" OR attributes."height in cm" >= 11.5 OR brand IS NULL

`category` stands for every category of an item: one of them is to be equal; so does `tag`. Values
compare with values of their kind only: text, numbers, true and false. A field that an item lacks
fulfils no comparison, and so `NOT brand = "Acme"`, like `brand != "Acme"`, holds for an item
without a brand.
In a text a backslash stands before a quote or another backslash.

A condition on a user is one of the same grammar over the user's attributes:

    user.segment = "trade" AND NOT user.country IN ("DE", "AT")

A filter may compare with what is said of the user, `attributes.size = user.size`: `bound_filters`
puts the user's own values there. What is not there then fulfils no comparison.
"""

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any, NoReturn

import numpy as np
from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import UnexpectedEOF, UnexpectedToken
from numpy.typing import NDArray

from recsys.core.catalogue import CatalogueColumns, CatalogueRow, EncodedColumn
from recsys.core.domain import Attribute, identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.limits import MAX_FILTER_CHARACTERS

Mask = NDArray[np.bool_]
# Says for the n positions of a catalogue which fulfil it, (n,).
Filter = Callable[[CatalogueColumns], Mask]
# Says whether a user of these attributes fulfils it.
UserCondition = Callable[[Mapping[str, Attribute]], bool]
# The first token of a value, and what it is; None for a user's that was not put there.
_Value = tuple[Token, Attribute | None]

GRAMMAR = r"""
?start: any
?any: all ("OR"i all)*
?all: no ("AND"i no)*
?no: NOT+ condition -> negated | condition
?condition: "(" any ")"
    | field OPERATOR value -> comparison
    | field "IN"i list -> member
    | field NOT "IN"i list -> not_member
    | field "IS"i "NULL"i -> missing
    | field "IS"i NOT "NULL"i -> present
list: "(" value ("," value)* ")"
field: NAME ["." (NAME | TEXT)]
value: TEXT | NUMBER | TRUE | FALSE | USER "." (NAME | TEXT)
NOT: "NOT"i
OPERATOR: "=" | "!=" | "<=" | ">=" | "<" | ">"
NAME: /[A-Za-z_][A-Za-z0-9_]*/
TEXT: /"(?:[^"\\\n]|\\.)*"/ | /'(?:[^'\\\n]|\\.)*'/
NUMBER: /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/
TRUE.2: /true\b/i
FALSE.2: /false\b/i
USER.2: /user(?=[ \t\r\n]*\.)/i
%ignore /[ \t\r\n]+/
"""
# What people would look for in vain among the names of a grammar.
_WORDS = {
    "NOT": "NOT",
    "OPERATOR": "one of = != < <= > >=",
    "NAME": "a field",
    "TEXT": "a text in quotes",
    "NUMBER": "a number",
    "TRUE": "true",
    "FALSE": "false",
    "USER": "user.NAME",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "DOT": ".",
    "$END": "the end",
}
_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
LABELS = ("brand", "category", "tag")
# What conditions are on, and how that is said.
_ITEM_FIELDS = ("price", *LABELS, "attributes"), "price, brand, category, tag or attributes.NAME"
_USER_FIELDS = ("user",), "user.NAME"
# A shop's pages have their own filters, and each comes again and again.
FILTERS_KEPT = 1024


@lru_cache(maxsize=FILTERS_KEPT)
def parse_filter(text: str) -> Filter:
    """Read a filter.

    Raises:
        InvalidInput: naming `filter`, with the position of the first character that is at fault.
    """
    return _parsed(text, _ITEM_CONDITIONS)


@lru_cache(maxsize=FILTERS_KEPT)
def parse_user_condition(text: str) -> UserCondition:
    """Read a condition on the attributes of a user.

    Raises:
        InvalidInput: naming `when`, with the position of the first character that is at fault.
    """
    try:
        condition = _parsed(text, _USER_CONDITIONS)
    except InvalidInput as error:
        reasons = [FieldProblem("when", problem.reason) for problem in error.problems]
        raise InvalidInput(reasons) from None

    def holds(attributes: Mapping[str, Attribute]) -> bool:
        user = CatalogueColumns()
        user.update({"": CatalogueRow(None, None, available=True, attributes=attributes)})
        return bool(condition(user)[0])

    return holds


def user_condition_problems(text: str) -> Sequence[FieldProblem]:
    """What is wrong with a condition on a user."""
    try:
        parse_user_condition(text)
    except InvalidInput as error:
        return error.problems
    return ()


def _parsed(text: str, parser: Lark) -> Filter:
    if len(text) > MAX_FILTER_CHARACTERS:
        _refuse(f"has {len(text)} characters, at most {MAX_FILTER_CHARACTERS} are allowed")
    try:
        found: Filter = parser.parse(text)  # type: ignore[assignment]
        # Once for nothing: what is nested too deeply is refused now, and not when it is needed.
        found(CatalogueColumns())
    except UnexpectedInput as error:
        _refuse(_unexpected(error, text))
    except RecursionError:
        _refuse("is nested too deeply")
    return found


def within_categories(text: str, categories: Iterable[str]) -> str:
    """The filter of items that fulfil a filter, or an empty one, and are in all of the categories.

    Raises:
        InvalidInput: when the filter by itself cannot be read, or a category is none.
    """
    categories = tuple(categories)
    problems = [
        FieldProblem(f"category[{place}]", reason)
        for place, name in enumerate(categories)
        if (reason := identifier_problem(name))
    ]
    if problems:
        raise InvalidInput(problems)
    conditions = [f"category = {json.dumps(name, ensure_ascii=False)}" for name in categories]
    if not (text and conditions):
        return text or " AND ".join(conditions)
    # By itself first: joined, another condition might come of what is none.
    parse_filter(text)
    return " AND ".join([f"({text})", *conditions])


def _unexpected(error: UnexpectedInput, text: str) -> str:
    is_at_end = isinstance(error, UnexpectedEOF) or (
        isinstance(error, UnexpectedToken) and error.token.type == "$END"
    )
    place = len(text) if is_at_end else error.pos_in_stream or 0
    names = getattr(error, "accepts", None) or getattr(error, "allowed", None) or ()
    expected = sorted(_WORDS.get(name, name) for name in names)
    where = "ends too early" if is_at_end else f"is not understood at character {place + 1}"
    return f"{where}: expected {' or '.join(expected)}" if expected else where


def _refuse(reason: str) -> NoReturn:
    raise InvalidInput([FieldProblem("filter", reason)])


def _refuse_at(token: Token, reason: str) -> NoReturn:
    _refuse(f"at character {(token.start_pos or 0) + 1}: {reason}")


class _Field:
    """Values of a field, and which items have one that fulfils a condition."""

    def __init__(
        self, token: Token, attribute: str | None, known: Iterable[str], usage: str
    ) -> None:
        self.token, self._attribute = token, attribute
        self.kind = str(token).lower()
        if self.kind not in known:
            _refuse_at(token, f"unknown field {str(token)[:50]!r}: use {usage}")
        if (self.kind in ("attributes", "user")) != (attribute is not None):
            _refuse_at(token, f"use {usage}")

    def has(self, test: Callable[[Any], bool]) -> Filter:
        """Where the item has a value, and the test of it holds."""
        match self.kind:
            case "brand":
                return lambda columns: _encoded(columns.brands, test, len(columns))
            case "category":
                return lambda columns: _encoded(
                    columns.categories, lambda levels: any(map(test, levels)), len(columns)
                )
            case "tag":
                return lambda columns: _encoded(
                    columns.tags, lambda tags: any(map(test, tags)), len(columns)
                )
        name = self._attribute or ""

        def by_attribute(columns: CatalogueColumns) -> Mask:
            column = columns.attributes.get(name)
            count = len(columns)
            return np.zeros(count, np.bool_) if column is None else _encoded(column, test, count)

        return by_attribute


def _encoded(column: EncodedColumn[Any], test: Callable[[Any], bool], n: int) -> Mask:
    allowed = np.array([value is not None and test(value) for value in column.values], np.bool_)
    return allowed.take(column.codes(n))


def _not(inner: Filter) -> Filter:
    return lambda columns: ~inner(columns)


def kind_of(value: Attribute) -> type:
    """The kind of a value: a whole number is a number, true and false are not."""
    return float if type(value) is int else type(value)


@v_args(inline=True)
class _ToFilter(Transformer[Token, Filter]):
    """Compiles a condition.

    Args:
        fields: that it may be on, and how these are called.
    """

    def __init__(self, fields: tuple[Iterable[str], str]) -> None:
        super().__init__()
        self._fields = fields

    def any(self, *parts: Filter) -> Filter:
        return lambda columns: reduce(operator.or_, (part(columns) for part in parts))

    def all(self, *parts: Filter) -> Filter:
        return lambda columns: reduce(operator.and_, (part(columns) for part in parts))

    def negated(self, *signs_and_inner: Any) -> Filter:
        *signs, inner = signs_and_inner
        return _not(inner) if len(signs) % 2 else inner

    def field(self, name: Token, attribute: Token | None = None) -> _Field:
        own = None if attribute is None else name_of(attribute)
        return _Field(name, own, *self._fields)

    def value(self, token: Token, _: Token | None = None) -> _Value:
        match token.type:
            case "USER":
                if self._fields is _USER_FIELDS:
                    _refuse_at(token, "compare with a text in quotes, a number, true or false")
                return token, None
            case "TEXT":
                return token, _text(token)
            case "NUMBER":
                return token, float(token)
        return token, token.type == "TRUE"

    def list(self, *values: _Value) -> tuple[_Value, ...]:
        return values

    def comparison(self, field: _Field, sign: Token, value: _Value) -> Filter:
        if sign == "!=":
            return _not(self.member(field, (value,)))
        if sign == "=":
            return self.member(field, (value,))
        token, bound = value
        compare = _COMPARISONS[str(sign)]
        if field.kind in LABELS or isinstance(bound, bool):
            _refuse_at(sign, f"{sign} is for numbers, and for texts of attributes")
        if bound is None:
            return self.member(field, ())
        if field.kind == "price":
            _check_number(token, bound)
            return lambda columns: compare(columns.prices(), bound)
        return field.has(lambda own: kind_of(own) is kind_of(bound) and compare(own, bound))

    def member(self, field: _Field, values: Iterable[_Value]) -> Filter:
        known = [(token, value) for token, value in values if value is not None]
        if field.kind == "price":
            numbers = [_check_number(*value) for value in known]
            return lambda columns: np.isin(columns.prices(), numbers)
        if field.kind in LABELS:
            texts = frozenset(_check_text(*value) for value in known)
            return field.has(texts.__contains__)
        pairs = frozenset((kind_of(value), value) for _, value in known)
        return field.has(lambda own: (kind_of(own), own) in pairs)

    def not_member(self, field: _Field, _: Token, values: Iterable[_Value]) -> Filter:
        return _not(self.member(field, values))

    def present(self, field: _Field, *_: Token) -> Filter:
        if field.kind == "price":
            return lambda columns: ~np.isnan(columns.prices())
        return field.has(lambda _: True)

    def missing(self, field: _Field) -> Filter:
        return _not(self.present(field))


def name_of(token: Token) -> str:
    """The name of an attribute, which stands in quotes or not."""
    return _text(token) if token.type == "TEXT" else str(token)


def _text(token: Token) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def _check_number(token: Token, value: Attribute) -> float:
    if isinstance(value, bool) or not isinstance(value, float):
        _refuse_at(token, "a price is a number")
    return value


def _check_text(token: Token, value: Attribute) -> str:
    if not isinstance(value, str):
        _refuse_at(token, "a brand, category or tag is a text in quotes")
    return value


def _parser(fields: tuple[Iterable[str], str]) -> Lark:
    transformer = _ToFilter(fields)
    return Lark(GRAMMAR, parser="lalr", transformer=transformer, maybe_placeholders=False)


_ITEM_CONDITIONS, _USER_CONDITIONS = _parser(_ITEM_FIELDS), _parser(_USER_FIELDS)
