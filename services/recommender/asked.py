"""A request beside the model that is to answer it."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from recsys.clock import utc_now_ms
from recsys.core.behaviour import Impression, RecentEvents
from recsys.core.current_history import excluding
from recsys.core.model import History
from recsys.core.serving.controls import Controls
from recsys.core.serving.generators import KNOW_WINDOWS
from recsys.core.serving.lists import PinnedItem
from recsys.core.serving.model import ServingModel
from recsys.core.serving.request import RecommendationRequest
from recsys.core.times import MS_PER_DAY
from services.recommender.model.answer_cache import NO_EVENTS
from services.recommender.model.serving import Serving


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
