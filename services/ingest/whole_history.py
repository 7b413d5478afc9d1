"""The events of a user a page at a time, for whoever moves or removes them."""

from collections.abc import Iterator

from recsys.core.domain import Event
from recsys.core.errors import Unavailable
from recsys.core.ports import InteractionStore

# Taken together; nearly every user has fewer.
_EVENTS_AT_ONCE = 5000
# More than any user has; events that do not go away must not keep a thread for ever.
_MAX_ROUNDS = 200


def pages_until_none(
    interactions: InteractionStore, tenant: str, user_id: str
) -> Iterator[list[Event]]:
    """Read the newest events again and again, each time less those that were taken away.

    Raises:
        Unavailable: events come faster than they go.
    """
    for _ in range(_MAX_ROUNDS):
        events = interactions.history(tenant, user_id, limit=_EVENTS_AT_ONCE)
        if not events:
            return
        yield events
    raise Unavailable("interactions", "the user's events come faster than they go")
