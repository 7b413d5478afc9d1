"""What the core needs from the outside, in its own words.

Each port has one real adapter and one in-memory twin, and one contract suite runs on both.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from recsys.core.domain import Event, Item


class InteractionStore(Protocol):
    """The durable record of behaviour: the truth everything else is rebuilt from."""

    def append(self, tenant: str, events: Sequence[Event]) -> list[bool]:
        """Store events durably; the answer says for each whether it was new.

        An event equal in user, time and event id to a stored one is that event: storing it again
        changes nothing. When this returns, every event survives a crash of any process.

        Raises:
            Unavailable: nothing may be assumed stored; sending the same events again is safe.
        """

    def history(
        self,
        tenant: str,
        user_id: str,
        *,
        start_ms: int = 0,
        end_ms: int | None = None,
        limit: int | None = None,
    ) -> list[Event]:
        """A user's events with start_ms <= timestamp_ms < end_ms, newest first."""


class ItemStore(Protocol):
    """The durable catalogue."""

    def put(self, tenant: str, items: Iterable[Item]) -> int:
        """Store items whole, replacing those of the same id; return how many. Durable on return."""

    def get(self, tenant: str, item_id: str) -> Item | None: ...

    def delete(self, tenant: str, item_id: str) -> None:
        """Remove an item; one that is not there is no error."""

    def scan(self, tenant: str) -> Iterator[Item]:
        """All items, ordered by the bytes of their id."""


class RecentBehaviour(Protocol):
    """What shoppers did since the last training, close to where answers are made."""

    def record(self, tenant: str, events: Sequence[Event], received_ms: int) -> None:
        """Remember events that are already durable; the same event again changes nothing.

        Raises:
            Unavailable: the events will count only after the next training.
        """


class HiddenItems(Protocol):
    """Items that must not be recommended from now on, whatever the published model says."""

    def hide(self, tenant: str, item_id: str) -> None: ...

    def show(self, tenant: str, item_id: str) -> None: ...
