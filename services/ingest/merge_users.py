"""Making one user of two: what an anonymous visitor did becomes the customer's history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from recsys.core.domain import Event, identifier_problem, new_identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput, Unavailable
from recsys.core.event_types import EventTypesOf, has_effect
from recsys.core.ports import InteractionStore, RecentBehaviour
from services.ingest.users import Users
from services.ingest.whole_history import pages_until_none


@dataclass(frozen=True, slots=True)
class Merged:
    """Result of a merge.

    Attributes:
        degraded: the events are durable, but count only once the serving store is back.
    """

    moved_events: int
    degraded: bool


class UserMerger:
    """Moves the events of one user to another, and what the shop says of the first.

    Each step may be done again: events are stored as the target's, then made to count in answers,
    then removed from the source. A crash leaves none of them nowhere, and the same call again
    finishes what is left.

    Args:
        clock: UTC milliseconds since 1970.
    """

    def __init__(
        self,
        interactions: InteractionStore,
        recent: RecentBehaviour,
        users: Users,
        event_types_of: EventTypesOf,
        clock: Callable[[], int],
    ) -> None:
        self._interactions = interactions
        self._recent = recent
        self._users = users
        self._event_types_of = event_types_of
        self._clock = clock

    def merge(self, tenant: str, source: str, target: str) -> Merged:
        """Give all events of the source to the target. Durable on return.

        They count as received now: neither the model that serves nor the target's recent events
        have them yet.

        Raises:
            InvalidInput: naming the fields at fault.
            Unavailable: some may be moved; doing it again is safe.
        """
        _check(source, target)
        if source == target:
            # All there is stands where it should.
            return Merged(0, degraded=False)
        self._users.merge(tenant, source, target)
        moved, is_remembered = 0, True
        # More than one page goes on in the same way, and only the newest are put where answers are
        # made: those see the newest hundreds of a user.
        for events in pages_until_none(self._interactions, tenant, source):
            now_ms = self._clock()
            self._interactions.reassign(tenant, events, target, now_ms)
            if moved == 0:
                is_remembered = self._remember(tenant, events, target, now_ms)
            self._interactions.remove(tenant, events, now_ms)
            moved += len(events)
        return Merged(moved, degraded=not (self._forget(tenant, source) and is_remembered))

    def _remember(self, tenant: str, events: Sequence[Event], target: str, now_ms: int) -> bool:
        types = self._event_types_of(tenant)
        # Oldest first, as they came.
        moved = [
            replace(event, user_id=target)
            for event in reversed(events)
            if has_effect(event.event_type, types)
        ]
        try:
            if moved:
                self._recent.record(tenant, moved, now_ms)
        except Unavailable:
            return False
        return True

    def _forget(self, tenant: str, source: str) -> bool:
        try:
            self._recent.forget(tenant, source)
        except Unavailable:
            return False
        return True


def _check(source: str, target: str) -> None:
    # A source may have been stored when ids kept the space around them.
    reasons = {
        "source_user_id": identifier_problem(source),
        "target_user_id": new_identifier_problem(target),
    }
    problems = [FieldProblem(name, reason) for name, reason in reasons.items() if reason]
    if problems:
        raise InvalidInput(problems)
