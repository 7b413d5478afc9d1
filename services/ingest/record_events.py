"""Taking events in: check each on its own, store the good ones, remember them for serving."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from recsys.core.domain import Event
from recsys.core.errors import FieldProblem, InvalidInput, Unavailable
from recsys.core.event_types import EventTypes, check_event, has_effect
from recsys.core.ports import InteractionStore, RecentBehaviour
from services.ingest.cold_start import ColdStart
from services.ingest.events import EventDraft, Outcome, Recorded, Status

MAX_EVENTS = 1000
# How long a retry of an event that came without a time is recognised.
RETRY_WINDOW_MS = 24 * 3600 * 1000


class EventRecorder:
    """Records behaviour durably, once, and close to where answers are made.

    Args:
        clock: UTC milliseconds since 1970.
        new_event_id: makes an id for an event that has none.
    """

    def __init__(
        self,
        interactions: InteractionStore,
        recent: RecentBehaviour,
        cold_start: ColdStart,
        event_types: EventTypes,
        clock: Callable[[], int],
        new_event_id: Callable[[], str],
    ) -> None:
        self._interactions = interactions
        self._recent = recent
        self._cold_start = cold_start
        self._event_types = event_types
        self._clock = clock
        self._new_event_id = new_event_id

    def record(self, tenant: str, drafts: Sequence[EventDraft]) -> Recorded:
        """Record a batch. When this returns, every event not rejected survives a crash.

        Raises:
            InvalidInput: the batch as a whole is empty or too long.
            Unavailable: nothing may be assumed stored; sending the same batch again is safe for
                events that carry an id.
        """
        if not 1 <= len(drafts) <= MAX_EVENTS:
            reason = f"must be 1 to {MAX_EVENTS}, not {len(drafts)}"
            raise InvalidInput([FieldProblem("events", reason)])
        now_ms = self._clock()
        checked = [self._check(draft, now_ms) for draft in drafts]
        events = {at: event for at, event in enumerate(checked) if isinstance(event, Event)}
        retried = [at for at in events if drafts[at].may_be_retry_without_time]
        self._reuse_first_times(tenant, events, retried, now_ms)
        stored = self._store(tenant, events)
        outcomes = [stored[at] if isinstance(c, Event) else c for at, c in enumerate(checked)]
        is_new = [events[at] for at in events if stored[at].status is Status.ACCEPTED]
        done = self._remember(tenant, events, now_ms) and self._count(tenant, is_new)
        return Recorded(outcomes, degraded=not done)

    def _check(self, draft: EventDraft, now_ms: int) -> Event | Outcome:
        try:
            event = draft.complete(self._new_event_id, now_ms)
            check_event(event, self._event_types, now_ms)
        except InvalidInput as error:
            return Outcome(Status.REJECTED, draft.event_id or "", error.problems)
        return event

    def _reuse_first_times(
        self, tenant: str, events: dict[int, Event], retried: Sequence[int], now_ms: int
    ) -> None:
        """Give a retry the time of its first attempt, or it would become a second event."""
        by_user: defaultdict[str, list[int]] = defaultdict(list)
        for at in retried:
            by_user[events[at].user_id].append(at)
        for user_id, positions in by_user.items():
            event_ids = {events[at].event_id for at in positions}
            times = self._interactions.find(tenant, user_id, event_ids, now_ms - RETRY_WINDOW_MS)
            for at in positions:
                event = events[at]
                first_time = times.get(event.event_id, event.timestamp_ms)
                events[at] = replace(event, timestamp_ms=first_time)

    def _store(self, tenant: str, events: dict[int, Event]) -> dict[int, Outcome]:
        is_new = self._interactions.append(tenant, list(events.values())) if events else []
        return {
            at: Outcome(Status.ACCEPTED if new else Status.DUPLICATE, event.event_id)
            for (at, event), new in zip(events.items(), is_new, strict=True)
        }

    def _remember(self, tenant: str, events: dict[int, Event], now_ms: int) -> bool:
        """Duplicates too: an earlier attempt may have failed here, after the durable write."""
        types = self._event_types
        lasting = [event for event in events.values() if has_effect(event.event_type, types)]
        try:
            if lasting:
                self._recent.record(tenant, lasting, now_ms)
        except Unavailable:
            return False
        return True

    def _count(self, tenant: str, events: Sequence[Event]) -> bool:
        try:
            self._cold_start.count(tenant, events)
        except Unavailable:
            return False
        return True
