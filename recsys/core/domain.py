"""Events and items as shops send them. An instance that exists is valid."""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.limits import (
    MAX_ATTRIBUTES,
    MAX_CATEGORIES,
    MAX_CONTEXT_ENTRIES,
    MAX_CONTEXT_KEY_CHARACTERS,
    MAX_CONTEXT_VALUE_CHARACTERS,
    MAX_ID_CHARACTERS,
    MAX_NUMBER,
    MAX_QUERY_CHARACTERS,
    MAX_TAGS,
    MAX_TEXT_CHARACTERS,
)
from recsys.core.times import milliseconds_problem, range_problem

# Two states of one item share a digest of this size with a probability of 2^-96.
_REVISION_BYTES = 12

Attribute = str | float | bool

# Names that analyses can use as columns, whatever they are made with.
CONTEXT_KEY_PATTERN = rf"^[A-Za-z_][A-Za-z0-9_.-]{{0,{MAX_CONTEXT_KEY_CHARACTERS - 1}}}$"
_CONTEXT_KEY = re.compile(CONTEXT_KEY_PATTERN)
_TENANT = re.compile(r"(?!hbase$)[a-z][a-z0-9_]{0,31}")


def identifier_problem(value: str) -> str | None:
    """Say why `value` cannot be an id, or None when it can.

    Ids are opaque: slashes, spaces and any script are fine. Control characters are refused because
    U+0000 separates the parts of a row key and the others never come from a real catalogue.
    """
    return text_problem(value, MAX_ID_CHARACTERS) if value else "must not be empty"


def new_identifier_problem(value: str) -> str | None:
    """Say why nothing may be stored under `value` from now on, or None when it may.

    Space around an id is left over from a form or a table, and imports strip it: with it one
    shopper would be two. What is stored under such an id can still be read, merged and removed.
    """
    if reason := identifier_problem(value):
        return reason
    return None if value == value.strip() else "must not begin or end with a space"


def tenant_problem(tenant: str) -> str | None:
    """Say why a shop cannot be named like this, or None when it can.

    A tenant is part of every Redis key, whose separator it must not hold, and names an HBase
    namespace, of which `hbase` is HBase's own.
    """
    if _TENANT.fullmatch(tenant):
        return None
    return "must be 1 to 32 of a-z 0-9 _, begin with a letter and not be hbase"


def checked_tenant(tenant: str) -> str:
    """Return the name, for wherever it becomes part of a path or a key.

    Raises:
        InvalidInput: naming `tenant`, when a shop cannot be named like this.
    """
    if reason := tenant_problem(tenant):
        raise InvalidInput([FieldProblem("tenant", reason)])
    return tenant


def text_problem(value: str, max_characters: int | None = None) -> str | None:
    """Say why `value` cannot be stored as text of at most this length, or None when it can."""
    if max_characters is not None and len(value) > max_characters:
        return f"has {len(value)} characters, at most {max_characters} are allowed"
    if value.isprintable():
        return None
    for position, character in enumerate(value):
        code = ord(character)
        if code < 0x20 or 0x7F <= code < 0xA0:
            return f"has the control character U+{code:04X} at position {position}"
        if 0xD800 <= code < 0xE000:
            return f"has half a surrogate pair at position {position}"
    return None


def number_problem(value: float | None) -> str | None:
    """Say why `value` cannot be a quantity, a price or a rating, or None when it can."""
    if value is None:
        return None
    if not math.isfinite(value):
        return "must be a finite number"
    if not 0 <= value <= MAX_NUMBER:
        return f"must be between 0 and {MAX_NUMBER:.0e}"
    return None


def _problems(**reasons: str | None) -> list[FieldProblem]:
    return [FieldProblem(name, reason) for name, reason in reasons.items() if reason]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a user did with one item.

    `event_id` makes a repeat recognisable; `timestamp_ms` is UTC milliseconds since 1970.
    `price` is of one unit. `order_id` groups the lines of one basket. `context` says where it came
    from, such as a recommendation's id or a placement: kept with the event, and counted nowhere.
    `rating` is on the scale of the event's type. `query` is what the user had searched for: kept
    like the context.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """

    event_id: str
    user_id: str
    item_id: str
    event_type: str
    timestamp_ms: int
    quantity: float | None = None
    price: float | None = None
    order_id: str | None = None
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    rating: float | None = None
    query: str | None = None

    def __post_init__(self) -> None:
        problems = _problems(
            event_id=identifier_problem(self.event_id),
            user_id=identifier_problem(self.user_id),
            item_id=identifier_problem(self.item_id),
            event_type=identifier_problem(self.event_type),
            timestamp=range_problem(self.timestamp_ms),
            quantity=number_problem(self.quantity),
            price=number_problem(self.price),
            order_id=None if self.order_id is None else identifier_problem(self.order_id),
            rating=number_problem(self.rating),
            query=query_problem(self.query),
        )
        problems.extend(_context_problems(self.context))
        if problems:
            raise InvalidInput(problems)


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """An event and when it reached us, in UTC milliseconds: which may be long after it happened."""

    event: Event
    received_ms: int


@dataclass(frozen=True, slots=True)
class Item:
    """One product of the catalogue. `categories` runs from broad to narrow.

    `quantity` is what is in stock, None where nobody counts. `list_price` is the one before a
    reduction. From `publish_ms` on and before `expire_ms`, UTC milliseconds since 1970, it may be
    shown. `created_ms` is when the shop got it; where the shop does not say, when it came into the
    catalogue, see `with_create_time`. A title or brand that is empty, or of spaces only, is none:
    as a brand it would be that of all items that have none.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """

    item_id: str
    title: str | None = None
    categories: tuple[str, ...] = ()
    brand: str | None = None
    price: float | None = None
    available: bool = True
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    quantity: float | None = None
    tags: tuple[str, ...] = ()
    list_price: float | None = None
    publish_ms: int | None = None
    expire_ms: int | None = None
    created_ms: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", _unless_blank(self.title))
        object.__setattr__(self, "brand", _unless_blank(self.brand))
        problems = _problems(
            item_id=identifier_problem(self.item_id),
            title=label_problem(self.title),
            brand=label_problem(self.brand),
            price=number_problem(self.price),
            quantity=number_problem(self.quantity),
            list_price=number_problem(self.list_price),
            publish_time=_moment_problem(self.publish_ms),
            expire_time=_moment_problem(self.expire_ms) or self._period_problem(),
            create_time=_moment_problem(self.created_ms),
        )
        problems.extend(_label_problems("categories", self.categories, MAX_CATEGORIES))
        problems.extend(_label_problems("tags", self.tags, MAX_TAGS))
        problems.extend(_attribute_problems(self.attributes))
        if problems:
            raise InvalidInput(problems)

    def _period_problem(self) -> str | None:
        if self.publish_ms is None or self.expire_ms is None or self.publish_ms < self.expire_ms:
            return None
        return "must be after publish_time"

    @property
    def can_be_bought(self) -> bool:
        """Tell whether there is any of it, whenever it is shown."""
        return self.available and self.quantity != 0

    @property
    def arrived_ms(self) -> int | None:
        """When shoppers could see the item first, UTC milliseconds; None where nobody knows."""
        return None if self.created_ms is None else max(self.created_ms, self.publish_ms or 0)

    def is_shown(self, now_ms: int) -> bool:
        """Tell whether the item may be shown at a moment."""
        is_published = self.publish_ms is None or self.publish_ms <= now_ms
        return (
            self.can_be_bought
            and is_published
            and (self.expire_ms is None or now_ms < self.expire_ms)
        )

    @property
    def revision(self) -> str:
        """A digest of the content: two states of an item have the same one only if equal."""
        content = json.dumps(asdict(self), sort_keys=True).encode()
        return hashlib.blake2b(content, digest_size=_REVISION_BYTES).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of the content as JSON."""
        return len(json.dumps(asdict(self), ensure_ascii=False).encode())


@dataclass(frozen=True, slots=True)
class User:
    """What a shop says of a user, beside what the user does.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """

    user_id: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        problems = _problems(user_id=identifier_problem(self.user_id))
        problems.extend(_attribute_problems(self.attributes))
        if problems:
            raise InvalidInput(problems)


def with_create_time(item: Item, before: Item | None, now_ms: int) -> Item:
    """An item as it takes the place of `before`: where it does not say when the shop got it, that
    stays what it was, and of an item that was not there it is now."""
    if item.created_ms is not None:
        return item
    created_ms = now_ms if before is None else before.created_ms
    return item if created_ms is None else replace(item, created_ms=created_ms)


def revision_of(item: Item | None) -> str | None:
    """The revision of an item, or None for one that is not there."""
    return None if item is None else item.revision


def _unless_blank(label: str | None) -> str | None:
    return None if label is None or not label.strip(" ") else label


def label_problem(value: str | None) -> str | None:
    """Say why `value` cannot be a title or an attribute, or None when it can."""
    return None if value is None else text_problem(value, MAX_TEXT_CHARACTERS)


def query_problem(value: str | None) -> str | None:
    """Say why `value` cannot be a search query, or None when it can."""
    if value is None:
        return None
    return text_problem(value, MAX_QUERY_CHARACTERS) if value else "must not be empty"


def _context_problems(context: Mapping[str, str]) -> Iterator[FieldProblem]:
    if len(context) > MAX_CONTEXT_ENTRIES:
        yield FieldProblem("context", f"at most {MAX_CONTEXT_ENTRIES} entries are allowed")
    for key, value in context.items():
        if not _CONTEXT_KEY.fullmatch(key):
            yield FieldProblem(f"context.{key}", f"its name must match {CONTEXT_KEY_PATTERN}")
        elif len(value) > MAX_CONTEXT_VALUE_CHARACTERS:
            most = f"at most {MAX_CONTEXT_VALUE_CHARACTERS} are allowed"
            yield FieldProblem(f"context.{key}", f"has {len(value)} characters, {most}")
        elif reason := text_problem(value):
            yield FieldProblem(f"context.{key}", reason)


def _moment_problem(moment_ms: int | None) -> str | None:
    return None if moment_ms is None else milliseconds_problem(moment_ms)


def _label_problems(field: str, labels: tuple[str, ...], most: int) -> Iterator[FieldProblem]:
    if len(labels) > most:
        yield FieldProblem(field, f"at most {most} are allowed")
    for position, label in enumerate(labels):
        if reason := identifier_problem(label):
            yield FieldProblem(f"{field}.{position}", reason)


def _attribute_problems(attributes: Mapping[str, Attribute]) -> Iterator[FieldProblem]:
    if len(attributes) > MAX_ATTRIBUTES:
        yield FieldProblem("attributes", f"at most {MAX_ATTRIBUTES} are allowed")
    for name, value in attributes.items():
        reason = identifier_problem(name)
        if reason is None and isinstance(value, str):
            reason = label_problem(value)
        if reason is None and isinstance(value, float) and not math.isfinite(value):
            reason = "must be a finite number"
        if reason:
            yield FieldProblem(f"attributes.{name}", reason)
