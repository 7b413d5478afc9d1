"""The lists of users: from memory, from Redis in one trip for all who ask, or folded in."""

from collections import defaultdict
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace

import structlog

from recsys.core.behaviour import Impression, RecentEvents, StoredUser
from recsys.core.current_history import current_histories, session_history
from recsys.core.errors import Unavailable
from recsys.core.limits import MAX_LIMIT
from recsys.core.model import History
from recsys.core.ports import ReadUser, ServingStore, UserLookup
from recsys.core.serving.generators import NEED_A_USER
from recsys.core.serving.lists import PersonalList, Source
from recsys.core.serving.personal import ActiveUser, list_without_scoring, with_returned
from recsys.core.serving.request import UserTarget
from recsys.runtime.metrics import Metrics
from services.recommender.asked import Asked
from services.recommender.fold_in_worker import FoldInWorker
from services.recommender.model.answer_cache import NO_EVENTS, CachedUser
from services.recommender.model.serving import Serving
from services.recommender.user_result import UserResult

_log = structlog.get_logger()


class UserLists:
    """Finds lists; make it inside the running event loop."""

    def __init__(self, store: ServingStore, fold_ins: FoldInWorker, metrics: Metrics) -> None:
        self._store = store
        self._fold_ins = fold_ins
        self._kept_lists = metrics.cache["hit"]
        self._made_lists = metrics.cache["miss"]

    async def find(self, asked: Sequence[Asked]) -> list[UserResult | Awaitable[UserResult]]:
        """The lists that need a user lookup, in order; one that must be calculated comes later."""
        found = await self._find(asked)
        return [
            self._filled_up(each) if one.may_be_relaxed else each
            for one, each in zip(asked, found, strict=True)
        ]

    async def _find(self, asked: Sequence[Asked]) -> list[UserResult | Awaitable[UserResult]]:
        known = [_known(one) for one in asked]
        wanted = [_lookup(*each) for each in zip(asked, known, strict=True)]
        try:
            read = await self._store.users(wanted)
        except Unavailable:
            return self._folded_in([self._unread(*each) for each in zip(asked, known, strict=True)])
        return self._folded_in(self._current(asked, known, read))

    def of_items(self, asked: Asked) -> UserResult | Awaitable[UserResult]:
        """The list of a user of whom only the items of a request are known."""
        [found] = self._folded_in([self._of_items(asked)])
        return self._filled_up(found) if asked.may_be_relaxed else found

    def _of_items(self, asked: Asked, *, degraded: bool = False) -> "UserResult | _FoldInJob":
        if not NEED_A_USER.intersection(asked.request.generators):
            return UserResult(asked, asked.serving.nobody, degraded)
        item_ids = asked.request.target.item_ids
        history = asked.history(session_history(asked.row_of, item_ids))
        personal = list_without_scoring(asked.model, None, history)
        if personal is not None:
            return UserResult(asked, CachedUser(None, NO_EVENTS, personal), degraded)
        return _FoldInJob(asked, None, NO_EVENTS, history, degraded)

    def _for_visitor(
        self, asked: Asked, read: ReadUser, *, degraded: bool
    ) -> "UserResult | _FoldInJob":
        """The list about items by what the visitor was shown and has just seen."""
        try:
            own = asked.without(asked.seen(read.recent)).tiring(read.impressions, read.recent)
            return self._of_items(own, degraded=degraded)
        except Exception as error:  # whatever it is, it concerns one visitor of many
            _log.error("user_failed", exc_info=error)
            return self._of_items(asked, degraded=True)

    def _unread(self, asked: Asked, known: CachedUser | None) -> "UserResult | _FoldInJob":
        """The list when the store is away: as it was lately, or what is popular."""
        if asked.request.visitor_id:
            return self._of_items(asked, degraded=True)
        return UserResult(asked, known or asked.serving.nobody, degraded=True)

    async def _filled_up(self, coming: UserResult | Awaitable[UserResult]) -> UserResult:
        """The list, and where its filter lets too few items pass the others behind them."""
        found = coming if isinstance(coming, UserResult) else await coming
        listed = [entry.item_index for entry in found.recommendations().ranked]
        if len(listed) == found.asked.request.limit:
            return found
        asked = found.asked.filling_up(listed)
        if isinstance(asked.request.target, UserTarget):
            [coming] = await self.find([asked])
        else:
            # What a visitor has seen, or was shown, is known already.
            coming = self.of_items(asked)
        filling = coming if isinstance(coming, UserResult) else await coming
        return replace(found, filling=filling, degraded=found.degraded or filling.degraded)

    def _current(
        self, asked: Sequence[Asked], known: Sequence[CachedUser | None], read: Sequence[ReadUser]
    ) -> "list[UserResult | _FoldInJob]":
        """The lists of users as their behaviour is now, and what must be calculated for it."""
        found = [self._kept(*each) for each in zip(asked, known, read, strict=True)]
        changed = [one for one in found if isinstance(one, _ChangedUser)]
        histories = iter(_histories(changed))
        return [
            self._with_history(one, next(histories)) if isinstance(one, _ChangedUser) else one
            for one in found
        ]

    def _kept(
        self, one: Asked, known: CachedUser | None, read: ReadUser
    ) -> "UserResult | _ChangedUser | _FoldInJob":
        """The list that was kept, where it still holds, or a new one; recent events come later."""
        serving = one.serving
        degraded = read.problem is not None or serving.is_lost
        if read.problem is not None:
            _log.warning("user_record_damaged", reason=read.problem)
        if one.request.visitor_id:
            return self._for_visitor(one, read, degraded=degraded)
        stored = read.stored or (known.stored if known else None)
        is_kept = one.request.is_plain
        if is_kept and known and _still_holds(known, stored, read.recent, serving):
            self._kept_lists.inc()
            return UserResult(one, known, degraded)
        self._made_lists.inc()
        if is_kept and not stored and not read.recent.packed:
            return UserResult(one, serving.nobody, degraded)
        changed = _ChangedUser(one, known, stored, read.recent, degraded, read.impressions)
        if read.recent.packed:
            return changed
        return self._with_history(changed, changed.history)

    def _with_history(
        self, changed: "_ChangedUser", history: History | Exception
    ) -> "UserResult | _FoldInJob":
        if isinstance(history, Exception):
            return changed.as_lately(history)
        try:
            asked = changed.asked.tiring(changed.impressions, changed.recent)
            own = asked.history(history, changed.recent)
            return self._changed(replace(changed, asked=asked), own)
        except Exception as error:  # whatever it is, it concerns one user of many
            return changed.as_lately(error)

    def _changed(self, changed: "_ChangedUser", history: History) -> "UserResult | _FoldInJob":
        one, stored, recent = changed.asked, changed.stored, changed.recent
        serving, model, degraded = one.serving, one.model, changed.degraded
        personal = list_without_scoring(model, stored, history)
        key = _user_id(one) if one.request.is_plain else None
        if personal is None:
            return _FoldInJob(one, stored, recent, history, degraded, key)
        personal = with_returned(model, personal, MAX_LIMIT)
        user = CachedUser(stored, recent, personal, serving.catalogue_number, key=key)
        if key is not None:
            serving.model.users.put(key, user)
        return UserResult(one, user, degraded)

    def _folded_in(
        self, found: "Sequence[UserResult | _FoldInJob]"
    ) -> list[UserResult | Awaitable[UserResult]]:
        """Fold in what must be, in as few calculations as there are models to do it with."""
        lists: dict[int, PersonalList | Awaitable[PersonalList]] = {}
        by_model = defaultdict[int, list[_FoldInJob]](list)
        for one in found:
            if isinstance(one, _FoldInJob):
                by_model[id(one.asked.model)].append(one)
        for group in by_model.values():
            asked = group[0].asked
            users = [ActiveUser.of(one.history, one.stored) for one in group]
            seconds = min(one.asked.within_seconds for one in group)
            submitted = self._fold_ins.submit(
                asked.model, users, asked.serving.model.fold_in_seconds, seconds
            )
            lists |= {id(one): each for one, each in zip(group, submitted, strict=True)}
        return [
            one if isinstance(one, UserResult) else one.with_list(lists[id(one)]) for one in found
        ]


@dataclass(frozen=True, slots=True)
class _ChangedUser:
    """A user whose list as it was kept, if it was, does not hold."""

    asked: Asked
    known: CachedUser | None
    stored: StoredUser | None
    recent: RecentEvents
    degraded: bool
    impressions: Sequence[Impression] = ()

    @property
    def history(self) -> History:
        """The history that the model has of the user."""
        return self.stored.history if self.stored else History.empty()

    def as_lately(self, error: Exception) -> UserResult:
        """The list as it was lately for whom the store has something that makes no sense."""
        _log.error("user_failed", exc_info=error)
        return UserResult(self.asked, self.known or self.asked.serving.nobody, degraded=True)


def _histories(users: Sequence[_ChangedUser]) -> list[History | Exception]:
    """Each user's history up to this moment, all of a model together where nothing is wrong."""
    found: dict[int, History | Exception] = {}
    by_model = defaultdict[int, list[_ChangedUser]](list)
    for user in users:
        by_model[id(user.asked.model)].append(user)
    for group in by_model.values():
        found |= zip(map(id, group), _histories_of_model(group), strict=True)
    return [found[id(user)] for user in users]


def _histories_of_model(users: Sequence[_ChangedUser]) -> list[History | Exception]:
    asked = users[0].asked
    try:
        behaviour = [(one.history, one.recent.events()) for one in users]
        return [*current_histories(asked.row_of, asked.model.params, behaviour)]
    except Exception as error:
        if len(users) == 1:
            return [error]
        return [history for user in users for history in _histories_of_model([user])]


@dataclass(frozen=True, slots=True)
class _FoldInJob:
    """A user whose list must be calculated."""

    asked: Asked
    stored: StoredUser | None
    recent: RecentEvents
    history: History
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
            return UserResult(self.asked, user, True)
        serving, key = self.asked.serving, self.cache_as
        personal = with_returned(self.asked.model, personal, MAX_LIMIT)
        user = CachedUser(self.stored, self.recent, personal, serving.catalogue_number, key=key)
        if key is not None:
            serving.model.users.put(key, user)
        return UserResult(self.asked, user, self.degraded)


def _user_id(asked: Asked) -> str:
    target = asked.request.target
    if not isinstance(target, UserTarget):
        raise TypeError("only a user has a record")
    return target.user_id


def _known(asked: Asked) -> CachedUser | None:
    """The user whom a list is for, as kept."""
    return None if asked.request.visitor_id else asked.serving.model.users.get(_user_id(asked))


def _lookup(asked: Asked, known: CachedUser | None) -> UserLookup:
    request, version = asked.request, asked.serving.model.version
    return UserLookup(
        request.tenant,
        version,
        request.visitor_id or _user_id(asked),
        # A record never changes, but one that was missing may be written yet.
        with_record=not request.visitor_id and (known is None or known.stored is None),
        with_impressions=asked.is_about_impressions,
    )


def _still_holds(
    known: CachedUser, stored: StoredUser | None, recent: RecentEvents, serving: Serving
) -> bool:
    if known.stored is not stored or known.recent != recent:
        return False
    # An item that is back may belong into a list that was made without it.
    return known.catalogue_number >= serving.shown_again_number
