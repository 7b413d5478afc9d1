"""Event types of a shop, and the strength of each."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from recsys.core.domain import Event, new_identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.times import future_problem

# The type of events that say which items of an answer a shopper was shown.
IMPRESSION = "impression"
_IDS = ("event_id", "user_id", "item_id", "order_id")
# What to say of the rating of an event whose type has none.
WITHOUT_SCALE = "its event type has no rating_scale in the shop's settings"


@dataclass(frozen=True, slots=True)
class EventType:
    """Weights of one type of event; `recsys.core.strength` has the formula.

    Attributes:
        weight: strength one event adds to its user-item pair; negative takes away.
        excludes: the item is not recommended to this user again, not even where the list gets
            shorter by it.
        half_life_days: age at which an event counts half; None for that of the shop.
        quantity_exponent, price_exponent: how much quantity and price count, 0 for not at all.
        typical_price: what prices are compared with; not None where price_exponent is not 0.
        rating_scale: lowest and highest rating of such an event; None where it has no rating.
        rating_counts: whether the weight is multiplied by how far the rating is above the middle
            of its scale. Then there is a scale, and the weight is not negative.
    """

    weight: float
    excludes: bool = False
    half_life_days: float | None = None
    quantity_exponent: float = 0.0
    price_exponent: float = 0.0
    typical_price: float | None = None
    rating_scale: tuple[float, float] | None = None
    rating_counts: bool = False

    @property
    def is_dislike(self) -> bool:
        """Whether it keeps the item away because the user does not want it: disliked, returned."""
        return self.excludes and self.weight < 0


EventTypes = Mapping[str, EventType]
# Those of a tenant as they are now.
EventTypesOf = Callable[[str], EventTypes]


def with_weights(event_types: EventTypes, weights: Mapping[str, float]) -> dict[str, EventType]:
    """The same types in the same order; those with a weight here have this one."""
    return {
        name: replace(kind, weight=weights[name]) if name in weights else kind
        for name, kind in event_types.items()
    }


def has_effect(event_type: str, event_types: EventTypes) -> bool:
    """Tell whether an event of this type can change recommendations: it counts, or excludes."""
    kind = event_types.get(event_type)
    return kind is not None and (kind.weight != 0 or kind.excludes)


def is_only_shown(event_type: str, event_types: EventTypes) -> bool:
    """Tell whether an event says no more than that an item was shown."""
    return event_type == IMPRESSION and not has_effect(event_type, event_types)


def unremembered(names: Iterable[str], event_types: EventTypes) -> str | None:
    """Tell what is wrong with names of types by which recent behaviour is looked at, if anything.

    Events without an effect are not kept there.
    """
    for name in names:
        if not has_effect(name, event_types):
            kept = ", ".join(sorted(each for each in event_types if has_effect(each, event_types)))
            return f"{name!r} is not one of the types that count: {kept}"
    return None


def excludes_item(event_type: str, event_types: EventTypes) -> bool:
    """Tell whether an event of this type keeps its item from the user."""
    kind = event_types.get(event_type)
    return kind is not None and kind.excludes


def details_that_count(event_types: Iterable[EventType]) -> list[str]:
    """The names of the fields of an event, of its numbers, that count by any type."""
    kinds = list(event_types)
    counts = {
        "quantity": any(kind.quantity_exponent for kind in kinds),
        "price": any(kind.price_exponent for kind in kinds),
        "rating": any(kind.rating_counts for kind in kinds),
    }
    return [name for name, is_counted in counts.items() if is_counted]


def counted_details(
    event: Event, event_types: EventTypes
) -> tuple[float | None, float | None, float | None]:
    """Quantity, price and rating of an event, None for what does not count by its type."""
    kind = event_types.get(event.event_type)
    if kind is None:
        return None, None, None
    return (
        event.quantity if kind.quantity_exponent else None,
        event.price if kind.price_exponent else None,
        event.rating if kind.rating_counts else None,
    )


def check_event(event: Event, event_types: EventTypes, now_ms: int) -> None:
    """Check what depends on the shop and the clock, and what stored events may have and new not.

    Raises:
        InvalidInput: for an id with space around it, an unknown type (the reason lists the known
            ones), a rating beside the type's scale, or a time in the future.
    """
    problems = [
        FieldProblem(name, reason)
        for name in _IDS
        if (value := getattr(event, name)) and (reason := new_identifier_problem(value))
    ]
    kind = event_types.get(event.event_type)
    if kind is None:
        known = ", ".join(sorted(event_types))
        problems.append(FieldProblem("event_type", f"is not one of: {known}"))
    elif event.rating is not None and (reason := _rating_problem(event.rating, kind)):
        problems.append(FieldProblem("rating", reason))
    if reason := future_problem(event.timestamp_ms, now_ms):
        problems.append(FieldProblem("timestamp", reason))
    if problems:
        raise InvalidInput(problems)


def scale_problem(scale: tuple[float, float]) -> str:
    """What to say of a rating that is not on a scale."""
    lowest, highest = scale
    return f"must be between {lowest:g} and {highest:g}, the scale of its event type"


def _rating_problem(rating: float, kind: EventType) -> str | None:
    if kind.rating_scale is None:
        return WITHOUT_SCALE
    lowest, highest = kind.rating_scale
    return None if lowest <= rating <= highest else scale_problem(kind.rating_scale)
