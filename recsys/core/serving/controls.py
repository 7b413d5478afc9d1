"""Controls: what a request, or the settings of a placement, say about the items of an answer."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from recsys.core.behaviour import MAX_IMPRESSIONS
from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.limits import MAX_EVENT_TYPES, MAX_LIMIT, MAX_RULES, MAX_SEEN_DAYS
from recsys.core.serving.filters import parse_filter

# A hundredfold score is before or behind everything; more would only look like a typing error.
MIN_WEIGHT, MAX_WEIGHT = 0.01, 100.0


@dataclass(frozen=True, slots=True)
class Boost:
    """Multiply the scores of the items that a filter lets pass; below one it buries them.

    Attributes:
        rule: the name of the shop's rule that says so; empty for a request's own.
    """

    filter: str
    weight: float
    rule: str = ""

    def problems(self) -> Iterator[FieldProblem]:
        yield from _filter_problems(self.filter)
        # NaN is no weight, either.
        if not MIN_WEIGHT <= self.weight <= MAX_WEIGHT:
            reason = f"must be between {MIN_WEIGHT:g} and {MAX_WEIGHT:g}"
            yield FieldProblem("weight", reason)


@dataclass(frozen=True, slots=True)
class Pin:
    """Put an item at a position, 1 for the first."""

    item_id: str
    position: int
    rule: str = ""

    def problems(self) -> Iterator[FieldProblem]:
        if reason := identifier_problem(self.item_id):
            yield FieldProblem("item_id", reason)
        if not 1 <= self.position <= MAX_LIMIT:
            yield FieldProblem("position", f"must be between 1 and {MAX_LIMIT}")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Leave out the items that a filter lets pass."""

    filter: str
    rule: str = ""

    def problems(self) -> Iterator[FieldProblem]:
        yield from _filter_problems(self.filter)


@dataclass(frozen=True, slots=True)
class Fatigue:
    """Multiply the scores of items that a user was shown often and did nothing with.

    Attributes:
        after: impressions since the user last did anything with the item.
        factor: of the score from then on.
    """

    after: int
    factor: float

    def problems(self) -> Iterator[FieldProblem]:
        if not 1 <= self.after <= MAX_IMPRESSIONS:
            yield FieldProblem("after", f"must be between 1 and {MAX_IMPRESSIONS}")
        if not MIN_WEIGHT <= self.factor < 1:
            yield FieldProblem("factor", f"must be at least {MIN_WEIGHT:g} and below 1")


@dataclass(frozen=True, slots=True)
class Controls:
    """Wishes about the items of an answer.

    Attributes:
        explain: whether each item comes with its reason and the parts of its score.
        diversity: 0 to 1, how many items give way to ones that are less alike, see `diversity`.
        max_per_category, max_per_brand: items of one category, the narrowest of an item's, or of
            one brand; 0 for any number.
        strict: whether an answer is rather shorter than more of one category or brand than that.
        exclude_seen_days: leave out what the user touched in so many days, as far as recent events
            are remembered; 0 for none.
        exclude_event_types: by events of these types; none for all that are remembered.
        fatigue: what becomes of items that were shown often; None for nothing.
        relax_filter: whether items that the request's filter does not let pass fill an answer up
            that would be shorter without them.
        window_days: what is popular and trending is that of so many days, one of the windows that
            the shop counts; 0 for the half-life of popularity.
    """

    explain: bool = False
    diversity: float = 0.0
    max_per_category: int = 0
    max_per_brand: int = 0
    strict: bool = False
    boosts: tuple[Boost, ...] = ()
    pins: tuple[Pin, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    exclude_seen_days: float = 0.0
    exclude_event_types: tuple[str, ...] = ()
    fatigue: Fatigue | None = None
    relax_filter: bool = False
    window_days: int = 0

    @property
    def is_about_order(self) -> bool:
        """Whether it says more than which items there are and why."""
        caps = self.max_per_category or self.max_per_brand
        return bool(self.diversity or caps or self.boosts or self.pins or self.fatigue)

    @property
    def asks_of_shopper(self) -> bool:
        """Whether it matters what the shopper was shown or did lately, whatever the list is for."""
        return bool(self.exclude_seen_days or self.fatigue)

    @property
    def excluded_filters(self) -> tuple[str, ...]:
        return tuple(exclusion.filter for exclusion in self.exclusions)

    @property
    def rules_of_exclusions(self) -> tuple[str, ...]:
        return tuple(exclusion.rule for exclusion in self.exclusions if exclusion.rule)

    def problems(self) -> Iterator[FieldProblem]:
        """Every field that breaks a rule."""
        if not (math.isfinite(self.diversity) and 0 <= self.diversity <= 1):
            yield FieldProblem("diversity", "must be between 0 and 1")
        for name in ("max_per_category", "max_per_brand"):
            if not 0 <= getattr(self, name) <= MAX_LIMIT:
                yield FieldProblem(name, f"must be between 1 and {MAX_LIMIT}, or 0 for any number")
        # NaN is no number of days, either.
        if not 0 <= self.exclude_seen_days <= MAX_SEEN_DAYS:
            yield FieldProblem("exclude_seen_days", f"must be between 0 and {MAX_SEEN_DAYS}")
        if len(self.exclude_event_types) > MAX_EVENT_TYPES:
            yield FieldProblem("exclude_event_types", f"at most {MAX_EVENT_TYPES} are allowed")
        for problem in self.fatigue.problems() if self.fatigue else ():
            yield FieldProblem(f"fatigue.{problem.field}", problem.reason)
        yield from self._problems_of_rules()

    def _problems_of_rules(self) -> Iterator[FieldProblem]:
        groups: dict[str, tuple[Boost | Pin | Exclusion, ...]] = {
            "boosts": self.boosts,
            "pins": self.pins,
            "exclusions": self.exclusions,
        }
        for name, rules in groups.items():
            if len(rules) > MAX_RULES:
                yield FieldProblem(name, f"at most {MAX_RULES} are allowed")
            for place, rule in enumerate(rules):
                for problem in rule.problems():
                    yield FieldProblem(f"{name}.{place}.{problem.field}", problem.reason)


def _filter_problems(text: str) -> Iterator[FieldProblem]:
    try:
        parse_filter(text)
    except InvalidInput as error:
        yield from error.problems
