"""Before a shop's first model: popular items, counted as behaviour arrives, then its catalogue."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice

import structlog

from recsys.clock import utc_now_ms
from recsys.core.domain import Event, Item, identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput, Unavailable
from recsys.core.event_types import EventTypesOf
from recsys.core.limits import MAX_EXCLUDED_ITEMS, MAX_LIMIT, MAX_PAGED_ITEMS, MAX_SESSION_ITEMS
from recsys.core.ports import (
    EarlyPopularity,
    ItemStore,
    LiveCatalogue,
    PublishedModels,
    RecentBehaviour,
)
from recsys.core.strength import weight_of

# Enough for the longest answer to somebody who has had four times as many of them.
_CANDIDATES = 500
# Of the session, of the request and of the pages before.
_MAX_EXCLUDED = MAX_SESSION_ITEMS + MAX_EXCLUDED_ITEMS + MAX_PAGED_ITEMS
# So old may candidates be, and so old the knowledge that a shop has no model.
_FRESH_SECONDS = 1.0
# For others who need the first candidates while one reads them: threads are there for writes.
_WAIT_SECONDS = 0.5

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Candidates:
    items: Sequence[Item]
    read_at: float


class ColdStart:
    """Recommendations of shops without a model.

    Args:
        clock: monotonic seconds.
        now_ms: UTC milliseconds since 1970, by which items are published and expire.
    """

    def __init__(
        self,
        published: PublishedModels,
        popularity: EarlyPopularity,
        recent: RecentBehaviour,
        items: ItemStore,
        live: LiveCatalogue,
        event_types_of: EventTypesOf,
        clock: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = utc_now_ms,
    ) -> None:
        self._now_ms = now_ms
        self._published = published
        self._popularity = popularity
        self._recent = recent
        self._items = items
        self._live = live
        self._event_types_of = event_types_of
        self._clock = clock
        self._has_model: dict[str, tuple[bool, float]] = {}
        self._candidates: dict[str, _Candidates] = {}
        self._reading: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def count(self, tenant: str, events: Sequence[Event]) -> None:
        """Count events that are new; nothing once the shop has a model.

        Raises:
            Unavailable: they are not counted.
        """
        strengths: defaultdict[str, float] = defaultdict(float)
        types = self._event_types_of(tenant)
        for event in events:
            # A shop may have given up a type since its events were checked.
            kind = types.get(event.event_type)
            if kind is not None and kind.weight:
                strengths[event.item_id] += weight_of(kind, event.rating)
        if strengths and not self._knows_model(tenant):
            self._popularity.count(tenant, strengths)

    def recommend(
        self, tenant: str, user_id: str | None, excluded: Collection[str], limit: int
    ) -> list[Item]:
        """Up to `limit` items, without those that the user's events exclude.

        Raises:
            InvalidInput: naming the fields at fault.
            Unavailable: a store does not answer.
        """
        _check(user_id, excluded, limit)
        withheld = set(excluded)
        if user_id is not None:
            withheld |= self._recent.excluded(tenant, user_id)
        shown = (item for item in self._fresh(tenant) if item.item_id not in withheld)
        return list(islice(shown, limit))

    def _knows_model(self, tenant: str) -> bool:
        known, asked_at = self._has_model.get(tenant, (False, -_FRESH_SECONDS))
        now = self._clock()
        if now - asked_at >= _FRESH_SECONDS:
            known = self._published.current(tenant) is not None
            self._has_model[tenant] = known, now
        return known

    def _fresh(self, tenant: str) -> Sequence[Item]:
        """Candidates that are new enough, or those before while another call reads new ones."""
        before = self._candidates.get(tenant)
        if before and self._clock() - before.read_at < _FRESH_SECONDS:
            return before.items
        reading = self._reading[tenant]
        if not reading.acquire(timeout=0 if before else _WAIT_SECONDS):
            if before:
                return before.items
            raise Unavailable("catalogue", "its first items are still being read")
        try:
            return self._renewed(tenant)
        finally:
            reading.release()

    def _renewed(self, tenant: str) -> Sequence[Item]:
        before = self._candidates.get(tenant)
        now = self._clock()
        if before and now - before.read_at < _FRESH_SECONDS:
            return before.items
        try:
            items = self._read(tenant)
        except Unavailable as error:
            if before is None:
                raise
            _log.warning("cold_start_not_renewed", tenant=tenant, reason=str(error))
            return before.items
        self._candidates[tenant] = _Candidates(items, now)
        return items

    def _read(self, tenant: str) -> list[Item]:
        """Join popular items and the catalogue; without one, whatever users touch."""
        popular = self._popularity.most_popular(tenant, _CANDIDATES)
        first = self._items.first(tenant, _CANDIDATES)
        if first:
            known = self._items.find(tenant, popular)
            found = [known[item_id] for item_id in popular if item_id in known] + first
        else:
            # Whatever is in the live catalogue of a shop without any other was removed from it.
            gone = self._live.known(tenant, popular)
            found = [Item(item_id) for item_id in popular if item_id not in gone]
        by_id = {item.item_id: item for item in found if item.is_shown(self._now_ms())}
        return list(by_id.values())[:_CANDIDATES]


def _check(user_id: str | None, excluded: Collection[str], limit: int) -> None:
    problems = []
    if user_id is not None and (reason := identifier_problem(user_id)):
        problems.append(FieldProblem("user_id", reason))
    if len(excluded) > _MAX_EXCLUDED:
        reason = f"name at most {_MAX_EXCLUDED} items"
        problems.append(FieldProblem("excluded_item_ids", reason))
    if not 1 <= limit <= MAX_LIMIT:
        problems.append(FieldProblem("limit", f"must be between 1 and {MAX_LIMIT}"))
    if problems:
        raise InvalidInput(problems)
