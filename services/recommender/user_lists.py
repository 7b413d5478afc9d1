"""The lists of users: from memory, from Redis in one trip for all who ask, or folded in."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import structlog

from recsys.clock import utc_now_ms
from recsys.core.behaviour import NO_REPURCHASES, Impression, RecentEvents, StoredUser
from recsys.core.current_history import current_histories, excluding, session_history
from recsys.core.errors import Unavailable
from recsys.core.limits import MAX_LIMIT
from recsys.core.model import History
from recsys.core.ports import ReadUser, ServingStore, UserLookup
from recsys.core.serving.buy_again import Due, due_items
from recsys.core.serving.controls import Controls
from recsys.core.serving.generators import (
    KNOW_WINDOWS,
    NEED_A_USER,
    OFFER_BOUGHT_ITEMS,
    Query,
)
from recsys.core.serving.lists import PersonalList, PinnedItem, Recommendations, Source
from recsys.core.serving.model import ServingModel
from recsys.core.serving.personal import ActiveUser, list_without_scoring, reranked, with_returned
from recsys.core.serving.pipeline import recommend
from recsys.core.serving.request import (
    ItemTarget,
    RecommendationRequest,
    SessionTarget,
    UserTarget,
)
from recsys.core.times import MS_PER_DAY
from recsys.runtime.metrics import Metrics
from services.recommender.fold_in_worker import FoldInWorker
from services.recommender.model.answer_cache import NO_EVENTS, CachedUser, Rendering
from services.recommender.model.serving import Serving
from services.recommender.rendering import render, render_in_detail, render_reranked

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what is to answer it.

    Attributes:
        model: with the items that the request's filter lets pass.
        excluded: rows of the items that the request excludes; those that nobody has heard of have
            none.
        within_seconds: how long somebody waits for the answer.
        listed: rows of the items that the answer fills up, of those excluded.
        tired: rows of the items that fatigue lowers, once it is known what the shopper was shown.
    """

    serving: Serving
    model: ServingModel
    request: RecommendationRequest
    excluded: frozenset[int]
    within_seconds: float
    listed: frozenset[int] = frozenset()
    tired: frozenset[int] = frozenset()

    @classmethod
    def of(cls, serving: Serving, request: RecommendationRequest, within_seconds: float) -> "Asked":
        controls = request.controls
        exclusions = () if controls is None else controls.excluded_filters
        model = serving.now
        if request.filter or exclusions:
            model = serving.filtered(request.filter, exclusions)
        asked = cls(serving, model, request, frozenset(), within_seconds)
        return replace(asked, excluded=frozenset(asked.rows_of(request.withheld_item_ids)))

    def row_of(self, item_id: str) -> int | None:
        """The row of an item; None for one that came to the catalogue after the model was made."""
        row = self.serving.model.shown.row_of(item_id)
        return None if row is None or row >= len(self.model.shown) else row

    def rows_of(self, item_ids: Iterable[str]) -> list[int]:
        """The rows of those of the items that have one."""
        return [row for row in map(self.row_of, item_ids) if row is not None]

    @property
    def lacks_window(self) -> bool:
        """Whether the model has not counted the window that the request is about, as before the
        first night since the shop names it: what is popular at any time stands in.
        """
        controls = self.request.controls
        if controls is None or not controls.window_days:
            return False
        is_known = controls.window_days in self.model.items.windows
        return not (is_known or KNOW_WINDOWS.isdisjoint(self.request.generators))

    @property
    def may_be_relaxed(self) -> bool:
        """Whether what the filter does not let pass may fill the answer up."""
        controls = self.request.controls
        return bool(controls and controls.relax_filter and self.request.filter)

    def filling_up(self, listed: Collection[int]) -> "Asked":
        """What fills up an answer with these rows: the same without its filter."""
        controls = self.request.controls or Controls()
        request = replace(
            self.request,
            limit=self.request.limit - len(listed),
            filter="",
            # It is of the whole answer; `excluded` has what earlier pages showed.
            page_token="",
            # Those that the filter lets pass have their places.
            controls=replace(controls, pins=(), relax_filter=False),
        )
        rows = frozenset(listed)
        filling = Asked.of(self.serving, request, self.within_seconds)
        return replace(filling, excluded=self.excluded | rows, listed=rows, tired=self.tired)

    def pinned(self) -> list[PinnedItem]:
        """The pins of items that there are."""
        pins = self.request.controls.pins if self.request.controls else ()
        rows = ((pin, self.row_of(pin.item_id)) for pin in pins)
        return [PinnedItem(row, pin.position, pin.rule) for pin, row in rows if row is not None]

    def seen(self, recent: RecentEvents) -> set[int]:
        """Rows of the items that the request excludes since the user touched them lately."""
        controls = self.request.controls
        if controls is None or not controls.exclude_seen_days or not recent.packed:
            return set()
        since_ms = utc_now_ms() - controls.exclude_seen_days * MS_PER_DAY
        types = controls.exclude_event_types
        return set(
            self.rows_of(
                event.item_id
                for event in recent.events()
                if event.timestamp_ms >= since_ms and (not types or event.event_type in types)
            )
        )

    def without(self, rows: Collection[int]) -> "Asked":
        """The same with these rows excluded, too."""
        return replace(self, excluded=self.excluded.union(rows)) if rows else self

    @property
    def is_about_impressions(self) -> bool:
        """Whether it matters what the user was shown."""
        controls = self.request.controls
        return controls is not None and controls.fatigue is not None

    def tiring(self, impressions: Sequence[Impression], recent: RecentEvents) -> "Asked":
        """The same with the items that the shopper was shown often, and did nothing with since."""
        fatigue = self.request.controls.fatigue if self.request.controls else None
        if fatigue is None or not impressions:
            return self
        acted_ms = {event.item_id: event.received_ms for event in recent.events()}
        counts = Counter(
            each.item_id for each in impressions if each.received_ms > acted_ms.get(each.item_id, 0)
        )
        often = [item_id for item_id, count in counts.items() if count >= fatigue.after]
        return replace(self, tired=frozenset(self.rows_of(often)))

    def history(self, history: History, recent: RecentEvents = NO_EVENTS) -> History:
        """The history with what the request excludes, or the very same."""
        excluded = self.excluded | self.seen(recent)
        return excluding(history, [*excluded]) if excluded else history


@dataclass(frozen=True, slots=True)
class UserResult:
    """A user's list, and whether it is less personal than it should be.

    Attributes:
        filling: what fills the answer up where the filter lets too few items pass.
    """

    asked: Asked
    user: CachedUser
    degraded: bool = False
    filling: "UserResult | None" = None

    def __post_init__(self) -> None:
        if self.asked.lacks_window or self.asked.request.is_degraded:
            object.__setattr__(self, "degraded", True)

    def recommendations(self) -> Recommendations:
        own = self._own_recommendations()
        if self.filling is None:
            return own
        return own.filled_up_with(self.filling.recommendations())

    def _own_recommendations(self) -> Recommendations:
        asked, request = self.asked, self.asked.request
        seed, session = None, list[int]()
        if isinstance(request.target, ItemTarget):
            seed = asked.row_of(request.target.item_id)
        elif isinstance(request.target, SessionTarget):
            session = asked.rows_of(request.target.item_ids)
        excluded = asked.excluded | asked.seen(self.user.recent)
        now_ms = utc_now_ms()
        query = Query(
            *(asked.model, self.user.personal, seed, session, excluded),
            due=self._due(now_ms),
            now_ms=now_ms,
        )
        if request.controls is None:
            return recommend(query, request.generators, request.limit)
        query = replace(
            query,
            bought=self._bought(),
            pinned=asked.pinned(),
            tired=asked.tired,
            listed=asked.listed,
            window_days=request.controls.window_days,
        )
        return recommend(query, request.generators, request.limit, request.controls)

    def reranked(self) -> tuple[list[str], list[str]]:
        """The items to put in order, each once, and those of which nothing is known or foreseen.

        These come last, as they came.
        """
        asked, shown = self.asked, self.asked.serving.model.shown
        known, unknown = list[int](), list[str]()
        for item_id in dict.fromkeys(asked.request.reranked_item_ids):
            row = asked.row_of(item_id)
            if row is not None and asked.model.can_score(row):
                known.append(row)
            else:
                unknown.append(item_id)
        order = reranked(asked.model, self.user.personal.history, known)
        return [*map(shown.id_of, order), *unknown], unknown

    def rendered(self) -> Rendering:
        """The JSON of the answer, kept beside the list while nothing about it changes."""
        if self.asked.request.reranked_item_ids:
            return render_reranked(self.reranked(), self.asked.serving.model, self.degraded)
        if self.degraded or not self.asked.request.is_plain:
            return self._render()
        user, before = self.user, self.user.rendered.rendering
        serving, limit = self.asked.serving, self.asked.request.limit
        found = user.rendered.get(serving.catalogue_number, limit, self._render)
        if found is not before and user.key is not None:
            # It takes more memory now, or less.
            serving.model.users.put(user.key, user)
        return found

    def _due(self, now_ms: int) -> Due:
        """What the user is due to buy again, where the request wants to know."""
        asked, user = self.asked, self.user
        if OFFER_BOUGHT_ITEMS.isdisjoint(asked.request.generators):
            return ()
        stored = NO_REPURCHASES if user.stored is None else user.stored.repurchases
        return due_items(
            asked.model.items, asked.model.params, stored, user.recent.events(), now_ms
        )

    def _bought(self) -> Collection[int]:
        """Rows that the user bought; the items of a session or request were looked at."""
        if not isinstance(self.asked.request.target, UserTarget):
            return ()
        history = self.user.personal.history
        bought = history.items[history.excluded & (history.strengths > 0)]
        return set(bought.tolist()) - self.asked.excluded

    def _render(self) -> Rendering:
        asked = self.asked
        is_detailed = asked.request.placement or asked.request.is_explained
        write = render_in_detail if is_detailed else render
        answer, model = self.recommendations(), asked.serving.model
        written = write(answer, model, degraded=self.degraded)
        return self._with_page_token(written, answer) if asked.request.placement else written

    def next_page_token(self, answer: Recommendations) -> str:
        """The token of the page after an answer."""
        id_of = self.asked.serving.model.shown.id_of
        return self.asked.request.next_page_token([id_of(e.item_index) for e in answer.ranked])

    def _with_page_token(self, written: Rendering, answer: Recommendations) -> Rendering:
        token = self.next_page_token(answer).encode()
        return written._replace(json=b'%b,"next_page_token":"%b"' % (written.json, token))


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
