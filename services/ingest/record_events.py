"""Taking events in: check each on its own, store the good ones, remember them for serving."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from itertools import chain, islice

from recsys.core.domain import Event, ReceivedEvent, checked_tenant
from recsys.core.errors import FieldProblem, InvalidInput, Unavailable
from recsys.core.event_types import EventTypes, EventTypesOf, check_event, has_effect, is_only_shown
from recsys.core.limits import MAX_EVENTS
from recsys.core.ports import AppendResult, InteractionStore, PurchaseLog, RecentBehaviour
from recsys.core.purchases import purchases_of
from recsys.core.recording import EventDraft, EventOutcome, EventStatus, Recorded
from services.ingest.cold_start import ColdStart


class EventRecorder:
    """Records behaviour durably, once, and close to where answers are made.

    Args:
        clock: UTC milliseconds since 1970.
        new_event_id: makes an id for an event that has none.
        counts_impressions: whether a shop's lists tire of items that were shown often.
        windowed_types_of: types of events that a shop counts in windows of popularity.
    """

    def __init__(
        self,
        interactions: InteractionStore,
        recent: RecentBehaviour,
        cold_start: ColdStart,
        purchases: PurchaseLog,
        event_types_of: EventTypesOf,
        clock: Callable[[], int],
        new_event_id: Callable[[], str],
        counts_impressions: Callable[[str], bool] = lambda _: False,
        windowed_types_of: Callable[[str], Collection[str]] = lambda _: (),
    ) -> None:
        self._interactions = interactions
        self._recent = recent
        self._cold_start = cold_start
        self._purchases = purchases
        self._event_types_of = event_types_of
        self._clock = clock
        self._new_event_id = new_event_id
        self._counts_impressions = counts_impressions
        self._windowed_types_of = windowed_types_of

    def record(self, tenant: str, drafts: Sequence[EventDraft]) -> Recorded:
        """Record a batch. When this returns, every event not rejected survives a crash.

        Raises:
            InvalidInput: the batch as a whole is empty or too long.
            Unavailable: nothing may be assumed stored; sending the same batch again is safe for
                events that carry an id.
        """
        _check_size(drafts)
        [recorded] = self._record_together(tenant, [drafts])
        return recorded

    def record_batches(
        self, batches: Sequence[tuple[str, Sequence[EventDraft]]]
    ) -> list[Recorded | Exception]:
        """Record the batches of several callers, each of a tenant, in as few writes as one takes.

        Returns:
            For each batch what `record` returns, or raises.
        """
        results: dict[int, Recorded | Exception] = {}
        sound: defaultdict[str, list[int]] = defaultdict(list)
        for place, (tenant, drafts) in enumerate(batches):
            try:
                _check_size(drafts)
                sound[checked_tenant(tenant)].append(place)
            except InvalidInput as error:
                results[place] = error
        for tenant, places in sound.items():
            try:
                recorded = self._record_together(tenant, [batches[place][1] for place in places])
                results |= zip(places, recorded, strict=True)
            except Exception as error:
                results |= dict.fromkeys(places, error)
        return [results[place] for place in range(len(batches))]

    def _record_together(
        self, tenant: str, batches: Sequence[Sequence[EventDraft]]
    ) -> list[Recorded]:
        drafts = list(chain.from_iterable(batches))
        now_ms = self._clock()
        types = self._event_types_of(tenant)
        checked = [self._check(draft, types, now_ms) for draft in drafts]
        events = {at: event for at, event in enumerate(checked) if isinstance(event, Event)}
        made_ids = {event.event_id for at, event in events.items() if drafts[at].event_id is None}
        results = self._interactions.append(tenant, list(events.values()), now_ms, made_ids)
        stored = dict(zip(events, map(_outcome, results), strict=True))
        outcomes = iter(
            each if isinstance(each, EventOutcome) else stored[at]
            for at, each in enumerate(checked)
        )
        new = [each.stored for each in results if each.is_new]
        # A store that is away for the first would only cost the second its time.
        done = self._remember(tenant, types, results) and self._count(tenant, new)
        return [Recorded(list(islice(outcomes, len(batch))), not done) for batch in batches]

    def _check(self, draft: EventDraft, types: EventTypes, now_ms: int) -> Event | EventOutcome:
        try:
            event = draft.complete(self._new_event_id, now_ms)
            check_event(event, types, now_ms)
        except InvalidInput as error:
            return EventOutcome(EventStatus.REJECTED, draft.event_id or "", error.problems)
        return event

    def _remember(self, tenant: str, types: EventTypes, results: Sequence[AppendResult]) -> bool:
        """Of a duplicate its first event, which may have failed here after the durable write."""
        by_arrival: defaultdict[int, list[Event]] = defaultdict(list)
        with_impressions = self._counts_impressions(tenant)
        for result in results:
            event = result.stored.event
            is_shown = with_impressions and is_only_shown(event.event_type, types)
            if is_shown or has_effect(event.event_type, types):
                by_arrival[result.stored.received_ms].append(event)
        # All of them, whatever becomes of the first: those that fail are kept for later.
        remembered = [self._record_recent(tenant, *batch) for batch in by_arrival.items()]
        return all(remembered)

    def _record_recent(self, tenant: str, received_ms: int, events: Sequence[Event]) -> bool:
        try:
            self._recent.record(tenant, events, received_ms)
        except Unavailable:
            return False
        return True

    def _count(self, tenant: str, new: Sequence[ReceivedEvent]) -> bool:
        purchases = purchases_of(new, self._windowed_types_of(tenant))
        try:
            self._cold_start.count(tenant, [each.event for each in new])
            if purchases:
                self._purchases.append(tenant, purchases)
        except Unavailable:
            return False
        return True


def _check_size(drafts: Sequence[EventDraft]) -> None:
    if not 1 <= len(drafts) <= MAX_EVENTS:
        reason = f"must be 1 to {MAX_EVENTS}, not {len(drafts)}"
        raise InvalidInput([FieldProblem("events", reason)])


def _outcome(result: AppendResult) -> EventOutcome:
    status = EventStatus.ACCEPTED if result.is_new else EventStatus.DUPLICATE
    return EventOutcome(status, result.stored.event.event_id)
