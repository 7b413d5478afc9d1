"""Generators: each yields items of one kind for a request, best first.

A generator need not know what may be shown: the pipeline drops that, what is excluded, and what an
earlier generator gave. To add one, write a function here, name it in GENERATORS and its source in
`lists.Source`; a placement names the generators that it takes items from.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from recsys.core.arrivals import NEW_DAYS
from recsys.core.model import NO_NEIGHBOUR
from recsys.core.serving.buy_again import Due
from recsys.core.serving.lists import PersonalList, PinnedItem, Ranked, Source
from recsys.core.serving.model import ServingModel
from recsys.core.times import MS_PER_DAY


@dataclass(frozen=True, slots=True)
class Query:
    """A request, in the terms of the model that answers it.

    Attributes:
        personal: the list of the user by the model, and the history behind it.
        seed: row of the item that the request is about; None for none, or one that is unknown.
        session: rows of the items of a session or a basket, the newest last.
        excluded: rows of further items that must not be recommended.
        bought: rows of the history that the user bought; others were looked at.
        due: what the user is due to buy again.
        pinned: the pins of the request's controls, of items that there are.
        tired: rows of the items that fatigue lowers.
        listed: rows of the items that this answer fills up; they are excluded, and caps count them.
        window_days: of what is popular, trending or new; 0 for none.
        now_ms: UTC milliseconds since 1970.
    """

    model: ServingModel
    personal: PersonalList
    seed: int | None = None
    session: Collection[int] = ()
    excluded: Collection[int] = ()
    bought: Collection[int] = ()
    due: Due = ()
    pinned: Sequence[PinnedItem] = ()
    tired: Collection[int] = ()
    listed: Collection[int] = ()
    window_days: int = 0
    now_ms: int = 0

    @property
    def seeds(self) -> list[int]:
        """Rows of all items that the request names and the model knows."""
        named = [*self.session] if self.seed is None else [self.seed, *self.session]
        return [row for row in named if row < len(self.model.items.ids)]


Generator = Callable[[Query], Iterator[Ranked]]


def for_you(query: Query) -> Iterator[Ranked]:
    """The user's own list."""
    personal = query.personal
    return map(Ranked, personal.items.tolist(), personal.scores.tolist(), repeat(personal.source))


def similar(query: Query) -> Iterator[Ranked]:
    """Items that the same users want as the item which the request is about, or want next."""
    model, seed = query.model, query.seed
    if seed is None:
        return
    pairs = _neighbours(model, seed)
    if added := model.returned.alike_to(seed) + model.newcomers.alike_to(seed):
        pairs = sorted(pairs + added, key=lambda pair: -pair[1])
    for row, score in pairs:
        yield Ranked(row, score, Source.NEIGHBOURS)


def _neighbours(model: ServingModel, row: int) -> list[tuple[int, float]]:
    """The rows of an item's neighbours, each with its score; foreseen ones of a newcomer."""
    found = model.known(np.array([row], np.int32))
    [place] = found.places
    neighbours, scores = found.neighbours[place], found.neighbour_scores[place]
    known = neighbours != NO_NEIGHBOUR
    return list(zip(neighbours[known].tolist(), scores[known].tolist(), strict=True))


def bought_together(query: Query) -> Iterator[Ranked]:
    """Items that are bought in one basket with the item, or with all those of the session.

    The score of an item is the sum over those that it goes with.
    """
    items, seeds = query.model.items, query.seeds
    if items.partners is None or items.partner_scores is None or not seeds:
        return
    partners = items.partners[seeds]
    rows, places = np.unique(partners, return_inverse=True)
    sums = np.bincount(places.ravel(), items.partner_scores[seeds].ravel())
    for place in np.argsort(-sums, kind="stable").tolist():
        if rows[place] != NO_NEIGHBOUR:
            yield Ranked(int(rows[place]), float(sums[place]), Source.BOUGHT_TOGETHER)


def popular(query: Query) -> Iterator[Ranked]:
    """What is popular: within the window of the request, then at any time, without a score."""
    if window := query.model.window(query.window_days):
        for row, score in window.popular:
            yield Ranked(row, score, Source.POPULAR)
    for row in query.model.popular():
        yield Ranked(row, None, Source.POPULAR)


def trending(query: Query) -> Iterator[Ranked]:
    """What more users want lately than before, the most rising first.

    Without a window by the half-life of popularity, and without a score.
    """
    if window := query.model.window(query.window_days):
        for row, score in window.rising:
            yield Ranked(row, score, Source.TRENDING)
        return
    for row in query.model.rising:
        yield Ranked(row, None, Source.TRENDING)


def new(query: Query) -> Iterator[Ranked]:
    """What the shop got lately, the newest first, without a score.

    Within the window of the request, or NEW_DAYS; then what no model knows, however old.
    """
    days = query.window_days or NEW_DAYS
    for row in query.model.newest(query.now_ms - int(days * MS_PER_DAY), query.now_ms):
        yield Ranked(row, None, Source.NEW)


def recently_viewed(query: Query) -> Iterator[Ranked]:
    """What the user touched last, the latest first, without a score."""
    history = query.personal.history
    order = np.argsort(history.steps, kind="stable")
    for row in history.items[order][history.strengths[order] > 0].tolist():
        yield Ranked(row, None, Source.RECENTLY_VIEWED)


def buy_again(query: Query) -> Iterator[Ranked]:
    """What the user bought on several days and is due to buy again, by the user's own intervals."""
    for row, score in query.due:
        yield Ranked(row, score, Source.BUY_AGAIN)


GENERATORS: Mapping[str, Generator] = {
    "for_you": for_you,
    "similar": similar,
    "bought_together": bought_together,
    "popular": popular,
    "trending": trending,
    "new": new,
    "recently_viewed": recently_viewed,
    "buy_again": buy_again,
}

# Those that look at the user's list or history.
NEED_A_USER = frozenset({"for_you", "recently_viewed"})
# Those that a window of time is about.
KNOW_WINDOWS = frozenset({"popular", "trending"})
# Those of what the user bought, which no other generator offers again.
OFFER_BOUGHT_ITEMS = frozenset({"buy_again"})
