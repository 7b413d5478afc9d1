"""Cache of lists and responses of one model version, bounded in memory."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from sys import getsizeof
from typing import Generic, NamedTuple, Protocol, TypeVar

from recsys.core.behaviour import RecentEvents, StoredUser
from recsys.core.serving.lists import NO_LIST, PersonalList, Source

NO_EVENTS = RecentEvents((), lambda _: [])
# Python's own share of an entry: objects, dictionaries, arrays' headers. Measured, rounded up.
_OVERHEAD_BYTES = 2_200
# A record as it came, and beside it scores in single precision, flags as numpy's booleans and steps
# as whole numbers of four bytes.
_BYTES_PER_LIST_ENTRY = 10
_BYTES_PER_HISTORY_ENTRY = 15
_BYTES_PER_REPURCHASE = 16


class Rendering(NamedTuple):
    """An answer in JSON, and where its items come from."""

    json: bytes
    source: Source


_NOTHING = Rendering(b"", Source.POPULAR)


@dataclass(slots=True)
class Rendered:
    """An answer in JSON; good for one limit and one state of what may be shown.

    It knows that state by number only. A cache is part of its model: a reference to what serves
    would keep a model alive that serves no more, and one to hidden items all that ever were.
    """

    catalogue_number: int = -1
    limit: int = 0
    rendering: Rendering = _NOTHING

    def get(self, catalogue_number: int, limit: int, render: Callable[[], Rendering]) -> Rendering:
        if self.catalogue_number != catalogue_number or self.limit != limit:
            self.catalogue_number, self.limit = catalogue_number, limit
            self.rendering = render()
        return self.rendering

    def size_bytes(self) -> int:
        return _OVERHEAD_BYTES + len(self.rendering.json)


@dataclass(slots=True)
class CachedUser:
    """A user. Good for as long as `recent` is what the store has.

    Attributes:
        catalogue_number: that of the catalogue that `personal` was made with, see `Serving`.
        key: by which it is kept; None for one that is not.
    """

    stored: StoredUser | None
    recent: RecentEvents
    personal: PersonalList
    catalogue_number: int = 0
    rendered: Rendered = field(default_factory=Rendered)
    key: str | None = None

    def size_bytes(self) -> int:
        history = len(self.personal.history.items)
        entries = len(self.personal.items)
        if self.stored is not None and self.stored.history is not self.personal.history:
            history += len(self.stored.history.items)
            entries += len(self.stored.items)
        arrays = _BYTES_PER_LIST_ENTRY * entries + _BYTES_PER_HISTORY_ENTRY * history
        if self.stored is not None:
            arrays += _BYTES_PER_REPURCHASE * len(self.stored.repurchases.items)
        packed = self.recent.packed
        events = getsizeof(packed) + sum(map(getsizeof, packed))
        return arrays + events + self.rendered.size_bytes()


def unknown_user() -> CachedUser:
    """Somebody of whom nothing is known."""
    return CachedUser(None, NO_EVENTS, NO_LIST)


class Sized(Protocol):
    def size_bytes(self) -> int: ...


Entry = TypeVar("Entry", bound=Sized)


class BoundedCache(Generic[Entry]):
    """Least-recently-used cache, bounded in bytes.

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
