"""Behaviour of every kind, in each form in which the formula of strength meets it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from recsys.core.behaviour import RecentEvent
from recsys.core.domain import Event
from recsys.core.shop_time import ShopTime, shop_time_of_events
from recsys.training.event_log import EventLog
from tests.builders import EVENT_TYPES, an_event

DAY_MS = 86_400_000
USERS, ITEMS = 4, 5
HALF_LIFE_DAYS, POPULARITY_HALF_LIFE_DAYS = 60.0, 14.0
# Missing, nothing, part of a piece, pieces, and a typing error.
_AMOUNTS = (None, 0.0, 0.3, 1.0, 12.0, 1e9)
# Missing, the ends of the scale, its middle, between, and of a scale that was a longer one.
_RATINGS = (None, 1.0, 5.0, 3.0, 2.5, 10.0)
_NAMES = list(EVENT_TYPES)


@dataclass(frozen=True)
class MixedBehaviour:
    """Events of shoppers u0, u1, ... with items i0, i1, ..."""

    events: Sequence[Event]

    def log(self) -> EventLog:
        """As evaluation, tuning and notebooks have them."""
        events = self.events
        return EventLog(
            user_ids=[f"u{n}" for n in range(USERS)],
            item_ids=[f"i{n}" for n in range(ITEMS)],
            users=np.array([int(event.user_id[1:]) for event in events], np.int32),
            items=np.array([int(event.item_id[1:]) for event in events], np.int32),
            values=np.ones(len(events), np.float32),
            types=np.array([_NAMES.index(event.event_type) for event in events], np.int16),
            event_types=EVENT_TYPES,
            target_types=tuple(name == "purchase" for name in _NAMES),
            timestamps_ms=np.array([event.timestamp_ms for event in events], np.int64),
            quantities=np.array([event.quantity for event in events], np.float64),
            prices=np.array([event.price for event in events], np.float64),
            ratings=np.array([event.rating for event in events], np.float64),
        )

    def shop_time(self) -> ShopTime:
        log = self.log()
        return shop_time_of_events(log.times_ms(), log.users)

    def recent(self, user_id: str) -> list[RecentEvent]:
        """As serving has those of one shopper."""
        return [
            RecentEvent(e.item_id, e.event_type, e.timestamp_ms, 0, e.quantity, e.price, e.rating)
            for e in self.events
            if e.user_id == user_id
        ]

    def table(self) -> pa.Table:
        """As the nightly run has them."""
        names = [
            "user_id",
            "item_id",
            "event_type",
            "timestamp_ms",
            "order_id",
            "quantity",
            "price",
            "rating",
        ]
        return pa.table({name: [getattr(e, name) for e in self.events] for name in names})


def mixed_behaviour(count: int, seed: int) -> MixedBehaviour:
    """So many events over half a year, with a pause in it."""
    random = np.random.default_rng(seed)

    def event(number: int) -> Event:
        day = random.choice([random.uniform(0, 30), random.uniform(150, 180)])
        return an_event(
            event_id=f"e{number}",
            user_id=f"u{random.integers(USERS)}",
            item_id=f"i{random.integers(ITEMS)}",
            event_type=_NAMES[random.integers(len(_NAMES))],
            timestamp_ms=int(day * DAY_MS),
            quantity=_AMOUNTS[random.integers(len(_AMOUNTS))],
            price=_AMOUNTS[random.integers(len(_AMOUNTS))],
            rating=_RATINGS[random.integers(len(_RATINGS))],
        )

    return MixedBehaviour([event(number) for number in range(count)])
