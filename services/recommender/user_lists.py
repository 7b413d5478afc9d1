"""The lists of users: from memory, from Redis in one trip for all who ask, or folded in."""

from collections import defaultdict
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

import structlog

from recsys.core.behaviour import RecentEvents, StoredUser, current_history, session_history
from recsys.core.errors import Unavailable
from recsys.core.limits import MAX_LIMIT
from recsys.core.model import History
from recsys.core.ports import ReadUser, ServingStore, UserLookup
from recsys.core.serving.generators import Query
from recsys.core.serving.lists import PersonalList, Recommendations, Source
from recsys.core.serving.personal import ActiveUser, list_without_scoring, with_returned
from recsys.core.serving.pipeline import FOR_USER, recommend
from recsys.runtime.metrics import Metrics
from services.recommender.fold_in_worker import FoldInWorker
from services.recommender.model.answer_cache import NO_EVENTS, CachedUser, Rendering
from services.recommender.model.serving import Serving
from services.recommender.rendering import render

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class UserQuery:
    """A user somebody asks about, and the model that is to answer."""

    serving: Serving
    tenant: str
    user_id: str
    within_seconds: float


@dataclass(frozen=True, slots=True)
class UserResult:
    """A user's list, and whether it is less personal than it should be."""

    serving: Serving
    user: CachedUser
    degraded: bool = False

    def recommendations(self, limit: int) -> Recommendations:
        query = Query(self.serving.now, self.user.personal, excluded=self._excluded_newcomers())
        return recommend(query, FOR_USER, limit)

    def _excluded_newcomers(self) -> set[int]:
        """Rows of items bought or disliked that the model, and so the history, knows nothing of."""
        shown, types = self.serving.model.shown, self.serving.model.params.event_types
        if not shown.newcomers or not self.user.recent.packed:
            return set()
        rows = {
            shown.row_of(event.item_id)
            for event in self.user.recent.events()
            if event.event_type in types and types[event.event_type].excludes
        }
        return {row for row in rows if row is not None}

    def rendered(self, limit: int) -> Rendering:
        """The JSON of `answer`, kept beside the list while nothing about it changes."""
        if self.degraded:
            return self._render(limit)
        user, before = self.user, self.user.rendered.rendering
        number = self.serving.catalogue_number
        found = user.rendered.get(number, limit, lambda: self._render(limit))
        if found is not before and user.key is not None:
            # It takes more memory now, or less.
            self.serving.model.users.put(user.key, user)
        return found

    def _render(self, limit: int) -> Rendering:
        return render(self.recommendations(limit), self.serving.model, degraded=self.degraded)


class UserLists:
    """Finds lists; make it inside the running event loop."""

    def __init__(self, store: ServingStore, fold_ins: FoldInWorker, metrics: Metrics) -> None:
        self._store = store
        self._fold_ins = fold_ins
        self._kept = metrics.cache["hit"]
        self._made = metrics.cache["miss"]

    async def find(self, asked: Sequence[UserQuery]) -> list[UserResult | Awaitable[UserResult]]:
        """The lists, in order; one that must be calculated comes later."""
        known = [one.serving.model.users.get(one.user_id) for one in asked]
        wanted = [
            UserLookup(
                one.tenant,
                one.serving.model.version,
                one.user_id,
                # A record never changes, but one that was missing may be written yet.
                with_record=user is None or user.stored is None,
            )
            for one, user in zip(asked, known, strict=True)
        ]
        try:
            read = await self._store.users(wanted)
        except Unavailable:
            # The lists as they were lately, or none: then the answer is what is popular.
            return [
                UserResult(one.serving, user or one.serving.nobody, degraded=True)
                for one, user in zip(asked, known, strict=True)
            ]
        found = [self._current_alone(*each) for each in zip(asked, known, read, strict=True)]
        return self._folded_in(found)

    def of_session(
        self, serving: Serving, item_ids: Sequence[str], within_seconds: float
    ) -> UserResult | Awaitable[UserResult]:
        """The list of a user of whom only these items are known."""
        history = session_history(serving.model.items, item_ids)
        personal = list_without_scoring(serving.now, None, history)
        if personal is not None:
            return UserResult(serving, CachedUser(None, NO_EVENTS, personal))
        [found] = self._folded_in([_FoldInJob(serving, None, NO_EVENTS, history, within_seconds)])
        return found

    def _current_alone(
        self, one: UserQuery, known: CachedUser | None, read: ReadUser
    ) -> "UserResult | _FoldInJob":
        """The list as it was lately for whom the store has something that makes no sense."""
        try:
            return self._current(one, known, read)
        except Exception:  # whatever it is, it concerns one user of many
            _log.exception("shopper_failed")
            return UserResult(one.serving, known or one.serving.nobody, degraded=True)

    def _current(
        self, one: UserQuery, known: CachedUser | None, read: ReadUser
    ) -> "UserResult | _FoldInJob":
        serving, model = one.serving, one.serving.model
        degraded = read.problem is not None or serving.is_lost
        if read.problem is not None:
            _log.warning("user_record_damaged", reason=read.problem)
        stored = read.stored or (known.stored if known else None)
        if known and _still_holds(known, stored, read.recent, serving):
            self._kept.inc()
            return UserResult(serving, known, degraded)
        self._made.inc()
        if not stored and not read.recent.packed:
            return UserResult(serving, serving.nobody, degraded)
        history = stored.history if stored else History.empty()
        if read.recent.packed:
            history = current_history(model.items, model.params, history, read.recent.events())
        personal = list_without_scoring(serving.now, stored, history)
        if personal is None:
            return _FoldInJob(
                serving, stored, read.recent, history, one.within_seconds, degraded, one.user_id
            )
        personal = with_returned(serving.now, personal, MAX_LIMIT)
        number = serving.catalogue_number
        user = CachedUser(stored, read.recent, personal, number, key=one.user_id)
        model.users.put(one.user_id, user)
        return UserResult(serving, user, degraded)

    def _folded_in(
        self, found: "Sequence[UserResult | _FoldInJob]"
    ) -> list[UserResult | Awaitable[UserResult]]:
        """Fold in what must be, in as few calculations as there are models to do it with."""
        lists: dict[int, PersonalList | Awaitable[PersonalList]] = {}
        by_serving = defaultdict[int, list[_FoldInJob]](list)
        for one in found:
            if isinstance(one, _FoldInJob):
                by_serving[id(one.serving)].append(one)
        for group in by_serving.values():
            serving = group[0].serving
            users = [ActiveUser.of(one.history, one.stored) for one in group]
            seconds = min(one.within_seconds for one in group)
            submitted = self._fold_ins.submit(
                serving.now, users, serving.model.fold_in_seconds, seconds
            )
            lists |= {id(one): each for one, each in zip(group, submitted, strict=True)}
        return [
            one if isinstance(one, UserResult) else one.with_list(lists[id(one)]) for one in found
        ]


@dataclass(frozen=True, slots=True)
class _FoldInJob:
    """A user whose list must be calculated."""

    serving: Serving
    stored: StoredUser | None
    recent: RecentEvents
    history: History
    within_seconds: float
    degraded: bool = False
    cache_as: str | None = None

    def with_list(
        self, personal: PersonalList | Awaitable[PersonalList]
    ) -> UserResult | Awaitable[UserResult]:
        return self._kept(personal) if isinstance(personal, PersonalList) else self._later(personal)

    async def _later(self, coming: Awaitable[PersonalList]) -> UserResult:
        return self._kept(await coming)

    def _kept(self, personal: PersonalList) -> UserResult:
        if personal.source is Source.NEIGHBOURS:
            # There was no time for more, this once.
            user = CachedUser(self.stored, self.recent, personal)
            return UserResult(self.serving, user, degraded=True)
        personal, key = with_returned(self.serving.now, personal, MAX_LIMIT), self.cache_as
        number = self.serving.catalogue_number
        user = CachedUser(self.stored, self.recent, personal, number, key=key)
        if key is not None:
            self.serving.model.users.put(key, user)
        return UserResult(self.serving, user, self.degraded)


def _still_holds(
    known: CachedUser, stored: StoredUser | None, recent: RecentEvents, serving: Serving
) -> bool:
    if known.stored is not stored or known.recent != recent:
        return False
    # An item that is back may belong into a list that was made without it.
    return known.catalogue_number >= serving.shown_again_number
