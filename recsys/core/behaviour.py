"""Behaviour of one user as stores keep it: the history in the model, and events since."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from recsys.core.model import History
from recsys.core.ranking import Indices
from recsys.core.repurchases import Repurchases
from recsys.core.scoring import Scores

# Of a user's recent events that do not exclude, the newest: taste of the moment, and what one
# question reads and folds in.
MAX_RECENT_EVENTS = 200
# Of a user's impressions, the newest: some ten pages.
MAX_IMPRESSIONS = 500
# Of those that exclude, which no order and no night's backlog reaches: beyond this it is a robot.
MAX_RECENT_EXCLUSIONS = 10_000


@dataclass(frozen=True, slots=True)
class RecentEvent:
    """An event since the last training, as serving remembers it. Times in UTC milliseconds.

    Quantity, price and rating are there only where they count, see `counted_details`.
    """

    item_id: str
    event_type: str
    timestamp_ms: int
    received_ms: int
    quantity: float | None = None
    price: float | None = None
    rating: float | None = None


@dataclass(frozen=True, slots=True)
class Impression:
    """An item that was shown to a user, and when that was reported in UTC milliseconds."""

    item_id: str
    received_ms: int


NO_REPURCHASES = Repurchases.empty()


@dataclass(frozen=True)
class StoredUser:
    """A user as the nightly job stored them: the list, best first, and what is behind it."""

    items: Indices
    scores: Scores
    history: History
    repurchases: Repurchases = NO_REPURCHASES


@dataclass(frozen=True, slots=True)
class RecentEvents:
    """A user's recent events as a store keeps them: compared as they are, read when they matter.

    Attributes:
        packed: equal exactly when the events are.
    """

    packed: tuple[Any, ...]
    unpack: Callable[[tuple[Any, ...]], list[RecentEvent]] = field(compare=False, repr=False)

    def events(self) -> list[RecentEvent]:
        return self.unpack(self.packed)
