"""Purchases as they come, which count in the windows of popularity until the next night."""

import hashlib
from collections.abc import Collection, Iterable
from typing import NamedTuple

from recsys.core.domain import ReceivedEvent
from recsys.core.times import MS_PER_DAY

# What happened earlier than that before it arrived is of no window that ends now.
MAX_AGE_MS = int(MS_PER_DAY)
_MARK_BYTES = 8


class Purchase(NamedTuple):
    """One user's purchase of one item.

    Attributes:
        mark: equal for the same user and item, and says nothing else of who it was.
    """

    item_id: str
    mark: str

    @classmethod
    def by(cls, user_id: str, item_id: str) -> "Purchase":
        # No id holds a zero.
        both = f"{item_id}\0{user_id}".encode()
        return cls(item_id, hashlib.blake2b(both, digest_size=_MARK_BYTES).hexdigest())


def purchases_of(
    received: Iterable[ReceivedEvent], windowed_types: Collection[str]
) -> list[Purchase]:
    """The purchases that count in windows of popularity.

    Args:
        windowed_types: types of events that the shop counts in them.
    """
    return [
        Purchase.by(each.event.user_id, each.event.item_id)
        for each in received
        if each.event.event_type in windowed_types
        and each.event.timestamp_ms >= each.received_ms - MAX_AGE_MS
    ]
