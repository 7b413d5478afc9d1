"""A request for recommendations, as any client of the shop makes it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.limits import (
    MAX_EXCLUDED_ITEMS,
    MAX_LIMIT,
    MAX_RERANKED_ITEMS,
    MAX_SESSION_ITEMS,
)
from recsys.core.serving.controls import Controls
from recsys.core.serving.filters import parse_filter
from recsys.core.serving.generators import GENERATORS
from recsys.core.serving.page_token import page_token, shown_before


@dataclass(frozen=True, slots=True)
class UserTarget:
    """A user, of whom the shop may know a lot or nothing."""

    user_id: str

    @property
    def item_ids(self) -> tuple[str, ...]:
        """Items that are not to be recommended, as in its neighbours below."""
        return ()

    def ids(self) -> Mapping[str, str]:
        """Each id by the name of its field, as in its neighbours below."""
        return {"user_id": self.user_id}


@dataclass(frozen=True, slots=True)
class ItemTarget:
    """An item, to which others are alike."""

    item_id: str

    @property
    def item_ids(self) -> tuple[str, ...]:
        return (self.item_id,)

    def ids(self) -> Mapping[str, str]:
        return {"item_id": self.item_id}


@dataclass(frozen=True, slots=True)
class SessionTarget:
    """A user of whom only some items are known, in the order of behaviour, the newest last."""

    item_ids: tuple[str, ...]

    def ids(self) -> Mapping[str, str]:
        return {f"item_ids[{place}]": item_id for place, item_id in enumerate(self.item_ids)}


Target = UserTarget | ItemTarget | SessionTarget


# What the routes without a placement of their own are made of.
FOR_USER = ("for_you", "popular", "new")
FOR_ITEM = ("similar", "popular", "new")


@dataclass(frozen=True, slots=True)
class RecommendationRequest:
    """A request for up to `limit` items.

    Attributes:
        placement: the generators to take items from, in order; none for the ones of the target.
        filter: see `filters`; empty for none.
        excluded_item_ids: items that must not be recommended, beside those of the target.
        controls: further wishes; None for none.
        page_token: of the page before; empty for the first page.
        shown_item_ids: what the pages before have shown, by the token.
        reranked_item_ids: items to be put in order, instead of recommending any, see
            `personal.reranked`.
        is_degraded: whether it says less than it should, since something could not be found out;
            then its answer says so.
        visitor_id: who looks, where the controls depend on what that user was shown or did lately
            and the target is no user; else empty.

    Raises:
        InvalidInput: naming every field that breaks a rule.
    """

    tenant: str
    target: Target
    limit: int
    placement: tuple[str, ...] = ()
    filter: str = ""
    excluded_item_ids: tuple[str, ...] = ()
    controls: Controls | None = None
    page_token: str = ""
    shown_item_ids: tuple[str, ...] = field(init=False, default=())
    reranked_item_ids: tuple[str, ...] = ()
    is_degraded: bool = False
    visitor_id: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.target, SessionTarget):
            # What is popular or new needs no target at all.
            least = 0 if self.placement else 1
            if not least <= len(self.target.item_ids) <= MAX_SESSION_ITEMS:
                range_problem = f"name between {least} and {MAX_SESSION_ITEMS} items"
                raise InvalidInput([FieldProblem("item_ids", range_problem)])
        problems = [
            FieldProblem(name, reason)
            for name, value in self.target.ids().items()
            if (reason := identifier_problem(value))
        ]
        if not 1 <= self.limit <= MAX_LIMIT:
            problems.append(FieldProblem("limit", f"must be between 1 and {MAX_LIMIT}"))
        if self.reranked_item_ids:
            problems.extend(self._problems_of_reranking())
        if self.visitor_id:
            problems.extend(self._problems_of_visitor())
        if not self.is_plain:
            problems.extend(self._problems_of_wishes())
        if problems:
            raise InvalidInput(problems)

    @property
    def is_plain(self) -> bool:
        """Whether it says no more than its target: its answer is worth to be kept."""
        wishes = self.placement or self.filter or self.excluded_item_ids or self.controls
        return not (wishes or self.page_token)

    @property
    def needs_user_lookup(self) -> bool:
        """Whether something of a user is read for it."""
        return isinstance(self.target, UserTarget) or bool(self.visitor_id)

    @property
    def asks_of_visitor(self) -> bool:
        """Whether who looks matters beside a target that is no user."""
        asks = self.controls is not None and self.controls.asks_of_shopper
        return asks and not isinstance(self.target, UserTarget)

    @property
    def withheld_item_ids(self) -> tuple[str, ...]:
        """Ids that must not be recommended, beside those of the target."""
        return self.excluded_item_ids + self.shown_item_ids

    def next_page_token(self, item_ids: Sequence[str]) -> str:
        """The token of the page after this one; empty after a page that was not full."""
        if len(item_ids) < self.limit:
            return ""
        return page_token((*self.shown_item_ids, *item_ids), self._of_all_pages)

    @property
    def _of_all_pages(self) -> str:
        return repr((self.tenant, self.target, self.placement, self.filter))

    @property
    def is_explained(self) -> bool:
        """Whether each item comes with its reason."""
        return self.controls is not None and self.controls.explain

    @property
    def generators(self) -> tuple[str, ...]:
        if self.placement:
            return self.placement
        return FOR_ITEM if isinstance(self.target, ItemTarget) else FOR_USER

    def _problems_of_reranking(self) -> Iterator[FieldProblem]:
        if isinstance(self.target, ItemTarget):
            yield FieldProblem("item_id", "items are put in order for a user or a session")
        if len(self.reranked_item_ids) > MAX_RERANKED_ITEMS:
            yield FieldProblem("item_ids", f"at most {MAX_RERANKED_ITEMS} are allowed")
        for place, item_id in enumerate(self.reranked_item_ids):
            if reason := identifier_problem(item_id):
                yield FieldProblem(f"item_ids[{place}]", reason)

    def _problems_of_visitor(self) -> Iterator[FieldProblem]:
        if reason := identifier_problem(self.visitor_id):
            yield FieldProblem("visitor_id", reason)
        if not self.asks_of_visitor:
            reason = (
                "is for placements, and beside an item or a session for exclude_seen_days and"
                " fatigue"
            )
            yield FieldProblem("visitor_id", reason)

    def _problems_of_wishes(self) -> Iterator[FieldProblem]:
        if unknown := [name for name in self.placement if name not in GENERATORS]:
            known = ", ".join(GENERATORS)
            yield FieldProblem("generators", f"{unknown[0]!r} is not a generator: use {known}")
        if len(self.excluded_item_ids) > MAX_EXCLUDED_ITEMS:
            yield FieldProblem("exclude_item_ids", f"at most {MAX_EXCLUDED_ITEMS} are allowed")
        for place, item_id in enumerate(self.excluded_item_ids):
            if reason := identifier_problem(item_id):
                yield FieldProblem(f"exclude_item_ids[{place}]", reason)
        if self.controls is not None:
            yield from self.controls.problems()
        if self.page_token:
            try:
                shown = shown_before(self.page_token, self._of_all_pages)
                object.__setattr__(self, "shown_item_ids", shown)
            except InvalidInput as error:
                yield from error.problems
        if self.filter:
            try:
                parse_filter(self.filter)
            except InvalidInput as error:
                yield from error.problems
