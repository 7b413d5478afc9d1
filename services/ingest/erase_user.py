"""Forgetting a user: the events, their ids, attributes, and what answers are made of."""

from collections.abc import Callable
from dataclasses import dataclass

from recsys.core.errors import Unavailable
from recsys.core.ports import InteractionStore, PublishedModels, RecentBehaviour
from services.ingest.users import Users, check_user_id
from services.ingest.whole_history import pages_until_none


@dataclass(frozen=True, slots=True)
class Erased:
    """Result of an erasure.

    Attributes:
        degraded: the events are gone, but the serving store was away.
    """

    removed_events: int
    degraded: bool


class UserEraser:
    """Forgets users; each step may be done again.

    Args:
        clock: UTC milliseconds since 1970.
    """

    def __init__(
        self,
        interactions: InteractionStore,
        recent: RecentBehaviour,
        published: PublishedModels,
        users: Users,
        clock: Callable[[], int],
    ) -> None:
        self._interactions = interactions
        self._recent = recent
        self._published = published
        self._users = users
        self._clock = clock

    def erase(self, tenant: str, user_id: str) -> Erased:
        """Forget a user. What the events were is in no store of behaviour when this returns.

        Models that were trained before still know the user, but for the record that answers are
        made of; recommenders may have that in memory until the next model serves.

        Raises:
            InvalidInput: the id cannot be one.
            Unavailable: some may be removed; doing it again is safe.
        """
        check_user_id(user_id)
        self._users.erase(tenant, user_id)
        removed = 0
        for events in pages_until_none(self._interactions, tenant, user_id):
            self._interactions.erase(tenant, events, self._clock())
            removed += len(events)
        return Erased(removed, degraded=not self._forget(tenant, user_id))

    def _forget(self, tenant: str, user_id: str) -> bool:
        try:
            self._recent.forget(tenant, user_id)
            self._published.erase_user(tenant, user_id)
        except Unavailable:
            return False
        return True
