"""The basket, which a shopper's cookie holds whole: the shop keeps nothing of anybody.

A product in it remembers the recommendation that led to it, as links and forms carry that on.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from recsys.core.domain import identifier_problem

_FORM = re.compile(r"([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{16})")


@dataclass(frozen=True, slots=True)
class Via:
    """Placement and id of a recommendation, for the context of the events that come of it."""

    placement: str
    recommendation_id: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what `str` writes; None for whatever else stands in an address."""
        found = _FORM.fullmatch(text)
        return cls(*found.groups()) if found else None

    def __str__(self) -> str:
        return f"{self.placement}.{self.recommendation_id}"

    def context(self) -> dict[str, str]:
        return {"placement": self.placement, "recommendation_id": self.recommendation_id}


MAX_QUANTITY = 99
# Browsers take a cookie of 4096 characters, with its name and attributes.
_MAX_COOKIE_CHARACTERS = 3800
_MAX_LINES = 30


class BasketFull(Exception):
    """There is no room for a product, or for so many pieces of it; the text says which."""


@dataclass(frozen=True, slots=True)
class Line:
    """A product in a basket, and the recommendation that it came from."""

    item_id: str
    quantity: int
    via: Via | None = None


@dataclass(frozen=True, slots=True)
class Basket:
    """The lines by item id, in the order in which they came."""

    lines: Mapping[str, Line]

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines.values())

    def __len__(self) -> int:
        return sum(line.quantity for line in self)

    def with_added(self, line: Line) -> "Basket":
        """Add a product, or more of one.

        Raises:
            BasketFull
        """
        before = self.lines.get(line.item_id)
        quantity = line.quantity + (before.quantity if before else 0)
        if quantity > MAX_QUANTITY:
            raise BasketFull(f"A basket takes {MAX_QUANTITY} pieces of one product at most.")
        added = replace(line, quantity=quantity)
        changed = Basket({**self.lines, line.item_id: added})
        if len(changed.lines) > _MAX_LINES or len(changed.to_cookie()) > _MAX_COOKIE_CHARACTERS:
            raise BasketFull("Your basket is full: order first, then go on.")
        return changed

    def without(self, *item_ids: str) -> "Basket":
        return Basket({key: line for key, line in self.lines.items() if key not in item_ids})

    def to_cookie(self) -> str:
        lines = [[line.item_id, line.quantity, str(line.via or "")] for line in self]
        text = json.dumps(lines, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(text).decode().rstrip("=")


EMPTY = Basket({})


def read_basket(cookie: str) -> Basket:
    """Read a cookie, which a shopper may have changed: what is no line of a basket is left out."""
    try:
        padded = cookie + "=" * (-len(cookie) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return EMPTY
    entries = found if isinstance(found, list) else []
    lines = [line for entry in entries[:_MAX_LINES] if (line := _read_line(entry))]
    return Basket({line.item_id: line for line in lines})


def _read_line(entry: Any) -> Line | None:
    match entry:
        case [str(item_id), int(quantity), str(via)] if not isinstance(quantity, bool):
            if identifier_problem(item_id) is None and 1 <= quantity <= MAX_QUANTITY:
                return Line(item_id, quantity, Via.read(via))
    return None
