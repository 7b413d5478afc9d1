"""Filters with values of the user: `attributes.size = user.size`, for each user the own size."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from lark import Lark, Token, UnexpectedInput

from recsys.core.domain import Attribute
from recsys.core.limits import MAX_FILTER_CHARACTERS
from recsys.core.serving.filters import FILTERS_KEPT, GRAMMAR, LABELS, kind_of, name_of

_USER_VALUE = re.compile(r"\buser\s*\.", re.IGNORECASE)
_TREES = Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


def names_user(text: str) -> bool:
    """Whether a filter compares with what is said of the user."""
    # Most do not, and what is too long is refused elsewhere: neither is worth to be parsed for it.
    may_be = len(text) <= MAX_FILTER_CHARACTERS and _USER_VALUE.search(text)
    return bool(may_be and _user_values(text))


def bound_filter(text: str, user: Mapping[str, Attribute]) -> str:
    """The filter with the user's own values in the place of `user.NAME`.

    It stays where nothing is said, or what does not compare with the field.
    """
    if not names_user(text):
        return text
    parts, end = list[str](), 0
    for value in _user_values(text):
        own = user.get(value.name)
        if own is not None and kind_of(own) in value.kinds and (literal := _literal(own)):
            parts += text[end : value.start], literal
            end = value.end
    bound = "".join([*parts, text[end:]])
    # A rule's length was checked without what is said of users.
    return bound if len(bound) <= MAX_FILTER_CHARACTERS else text


class _UserValue(NamedTuple):
    """`user.NAME` in a filter: where it stands, and the kinds that the field compares with."""

    start: int
    end: int
    name: str
    kinds: tuple[type, ...]


@lru_cache(maxsize=FILTERS_KEPT)
def _user_values(text: str) -> Sequence[_UserValue]:
    """Those of a filter, in its order; none of a text that is no filter."""
    try:
        tree: Any = _TREES.parse(text)
    except UnexpectedInput:
        return ()
    found = list[_UserValue]()
    for node in tree.iter_subtrees():
        if node.data in ("comparison", "member", "not_member"):
            kinds = _compared_kinds(node.children[0].children[0], node.children[1])
            for value in node.find_data("value"):
                first, *names = value.children
                if names:
                    [name] = names
                    found.append(_UserValue(first.start_pos, name.end_pos, name_of(name), kinds))
    return sorted(found)


def _compared_kinds(field: Token, sign: object) -> tuple[type, ...]:
    """The kinds that a field compares with by a sign, or by being in a list."""
    name = str(field).lower()
    if name == "price":
        return (float,)
    if name in LABELS:
        return (str,)
    return (float, str) if sign in ("<", "<=", ">", ">=") else (float, str, bool)


def _literal(value: Attribute) -> str | None:
    """A value as a filter writes it; None for a text that no filter can have."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(float(value))
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    return None if "\n" in value else f'"{quoted}"'
