"""A list that was found, and the answer that is made of it."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from recsys.clock import utc_now_ms
from recsys.core.behaviour import NO_REPURCHASES
from recsys.core.serving.buy_again import Due, due_items
from recsys.core.serving.generators import OFFER_BOUGHT_ITEMS, Query
from recsys.core.serving.lists import Recommendations
from recsys.core.serving.personal import reranked
from recsys.core.serving.pipeline import recommend
from recsys.core.serving.request import ItemTarget, SessionTarget, UserTarget
from services.recommender.asked import Asked
from services.recommender.model.answer_cache import CachedUser, Rendering
from services.recommender.rendering import render, render_in_detail, render_reranked


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
