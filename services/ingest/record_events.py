"""Taking events in: check each on its own, store the good ones, remember them for serving."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from recsys.core.domain import Event
from recsys.core.errors import FieldProblem, InvalidInput, Unavailable
from recsys.core.event_types import EventTypes, EventTypesOf, check_event, has_effect
from recsys.core.limits import MAX_EVENTS
from recsys.core.ports import AppendResult, InteractionStore, RecentBehaviour
from recsys.core.recording import EventDraft, EventOutcome, EventStatus, Recorded
from services.ingest.cold_start import ColdStart


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
        event_types_of: EventTypesOf,
        clock: Callable[[], int],
        new_event_id: Callable[[], str],
    ) -> None:
        self._interactions = interactions
        self._recent = recent
        self._cold_start = cold_start
        self._event_types_of = event_types_of
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
        types = self._event_types_of(tenant)
        checked = [self._check(draft, types, now_ms) for draft in drafts]
        events = {at: event for at, event in enumerate(checked) if isinstance(event, Event)}
        made_ids = {event.event_id for at, event in events.items() if drafts[at].event_id is None}
        results = self._interactions.append(tenant, list(events.values()), now_ms, made_ids)
        stored = dict(zip(events, map(_outcome, results), strict=True))
        outcomes = [
            each if isinstance(each, EventOutcome) else stored[at]
            for at, each in enumerate(checked)
        ]
        new = [each.stored.event for each in results if each.is_new]
        # A store that is away for the first would only cost the second its time.
        done = self._remember(tenant, results) and self._count(tenant, new)
        return Recorded(outcomes, degraded=not done)

    def _check(self, draft: EventDraft, types: EventTypes, now_ms: int) -> Event | EventOutcome:
        try:
            event = draft.complete(self._new_event_id, now_ms)
            check_event(event, types, now_ms)
        except InvalidInput as error:
            return EventOutcome(EventStatus.REJECTED, draft.event_id or "", error.problems)
        return event

    def _remember(self, tenant: str, results: Sequence[AppendResult]) -> bool:
        """Of a duplicate its first event, which may have failed here after the durable write."""
        by_arrival: defaultdict[int, list[Event]] = defaultdict(list)
        for result in results:
            by_arrival[result.stored.received_ms].append(result.stored.event)
        # All of them, whatever becomes of the first: those that fail are kept for later.
        remembered = [self._record(tenant, *batch) for batch in by_arrival.items()]
        return all(remembered)

    def _record(self, tenant: str, received_ms: int, events: Sequence[Event]) -> bool:
        types = self._event_types_of(tenant)
        lasting = [event for event in events if has_effect(event.event_type, types)]
        try:
            if lasting:
                self._recent.record(tenant, lasting, received_ms)
        except Unavailable:
            return False
        return True

    def _count(self, tenant: str, events: Sequence[Event]) -> bool:
        try:
            self._cold_start.count(tenant, events)
        except Unavailable:
            return False
        return True


def _outcome(result: AppendResult) -> EventOutcome:
    status = EventStatus.ACCEPTED if result.is_new else EventStatus.DUPLICATE
    return EventOutcome(status, result.stored.event.event_id)
