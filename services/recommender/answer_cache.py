"""What was worked out for shoppers and items of one model version, within a bound of memory."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, Protocol, TypeVar

from recsys.core.behaviour import RememberedEvents, StoredUser
from recsys.core.recommend import PersonalList, Source

# Python's own share of an entry: objects, dictionaries, arrays' headers. Measured, rounded up.
_OVERHEAD_BYTES = 2_000
_BYTES_A_LIST_ENTRY = 8
_BYTES_A_HISTORY_ENTRY = 9


class Rendering(NamedTuple):
    """An answer in JSON, and where its items come from."""

    json: bytes
    source: Source


@dataclass(slots=True)
class Rendered:
    """Answers in JSON, by limit; good for one state of what may be shown."""

    shown_by: object = None
    by_limit: dict[int, Rendering] = field(default_factory=dict)

    def get(self, shown_by: object, limit: int, render: Callable[[], Rendering]) -> Rendering:
        if self.shown_by is not shown_by:
            self.shown_by = shown_by
            self.by_limit.clear()
        found = self.by_limit.get(limit)
        if found is None:
            found = self.by_limit[limit] = render()
        return found

    def size_bytes(self) -> int:
        return _OVERHEAD_BYTES + sum(len(each.json) for each in self.by_limit.values())


@dataclass(slots=True)
class CachedUser:
    """A shopper. Good for as long as `recent` is what the store has.

    Attributes:
        hidden: the hidden items that were left out of `personal`.
    """

    stored: StoredUser | None
    recent: RememberedEvents
    personal: PersonalList
    hidden: frozenset[int]
    rendered: Rendered = field(default_factory=Rendered)

    def size_bytes(self) -> int:
        lists = [part for part in (self.stored, self.personal) if part is not None]
        entries = sum(len(part.items) for part in lists)
        history = sum(len(part.history.items) for part in lists)
        packed = _BYTES_A_LIST_ENTRY * entries + _BYTES_A_HISTORY_ENTRY * history
        return packed + self.rendered.size_bytes()


class Sized(Protocol):
    def size_bytes(self) -> int: ...


Entry = TypeVar("Entry", bound=Sized)


class BoundedCache(Generic[Entry]):
    """What was least recently used goes first.

    Args:
        max_bytes: bound of the memory of all entries; 0 keeps none.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, tuple[Entry, int]] = OrderedDict()
        self.used_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Entry | None:
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: str, entry: Entry) -> None:
        """Keep it, or account anew for one that has grown."""
        before = self._entries.pop(key, None)
        if before:
            self.used_bytes -= before[1]
        size = entry.size_bytes()
        self._entries[key] = entry, size
        self.used_bytes += size
        while self.used_bytes > self._max_bytes:
            _, (_, size) = self._entries.popitem(last=False)
            self.used_bytes -= size
