"""A request for a placement by its name: what settings, variant and request say together."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from recsys.core.domain import Attribute
from recsys.core.errors import FieldProblem, InvalidInput, Unavailable
from recsys.core.event_types import EventTypes, unremembered
from recsys.core.limits import MAX_EXCLUDED_ITEMS
from recsys.core.popularity_windows import window_problem
from recsys.core.serving.bound_filters import bound_filter, names_user
from recsys.core.serving.controls import Boost, Exclusion, Pin
from recsys.core.serving.experiments import Assignment, Experiment, assignment
from recsys.core.serving.placement import Placement, bound
from recsys.core.serving.request import (
    RecommendationRequest,
    SessionTarget,
    Target,
    UserTarget,
)
from recsys.core.wording import pluralize

# What to say where nothing is read of the user.
USER_VALUES_NEED_PLACEMENT = "user.NAME is for filters of placements: name one, or the value itself"
# What a shop says of a user; None where that cannot be had in time.
AttributesOf = Callable[[str, str], Awaitable[Mapping[str, Attribute] | None]]

# Controls that any request may set instead of the placement's, each by itself.
OWN_CONTROLS = (
    *("diversity", "max_per_category", "max_per_brand", "strict"),
    *("exclude_seen_days", "relax_filter", "window_days"),
)


@dataclass(frozen=True, slots=True)
class ShownPlacement:
    """A placement as one shopper sees it, chosen once for an answer.

    Attributes:
        experiment: the part that the shopper has in an experiment about it, if any.
        is_incomplete: whether rules are left out since nobody knows whether they are for the
            shopper.
    """

    name: str
    settings: Placement
    experiment: Assignment | None = None
    is_incomplete: bool = False

    def for_user(self, user: Mapping[str, Attribute] | None) -> "ShownPlacement":
        """The same with the rules that are for a user of these attributes; None: not known."""
        return replace(self, settings=self.settings.for_user(user), is_incomplete=user is None)


def shown_placement(
    name: str,
    placements: Mapping[str, Placement],
    experiments: Iterable[Experiment],
    tenant: str,
    visitor: str | None,
) -> ShownPlacement:
    """A placement of the shop, in the variant that this shopper sees.

    Args:
        name: of one of the placements.
        visitor: None where it is not known who looks: then it is as without experiments.
    """
    own = placements[name]
    found = None if visitor is None else assignment(experiments, tenant, name, visitor)
    settings = own if found is None else found.variant.placements.get(name, own)
    return ShownPlacement(name, settings, found)


def unknown_placement(name: str, placements: Collection[str]) -> str:
    """Say that a shop has no placement of this name, and which ones it has."""
    known = ", ".join(sorted(placements)) or "none"
    return f"this shop has no placement {name!r}; it has {known}"


def page_problem(excluded: int, shown: int) -> str | None:
    """Say why a request of a page may not exclude so many items, or None when it may.

    Args:
        shown: items of the requests before it, which it leaves out as well.
    """
    # Without any the request says by itself that it excludes too many.
    if not shown or excluded + shown <= MAX_EXCLUDED_ITEMS:
        return None
    return f"with {pluralize(shown, 'item')} of the placements before: at most {MAX_EXCLUDED_ITEMS}"


def seen_problem(event_types: Collection[str], days: float) -> str | None:
    """Say why a request may not exclude by events of these types, or None when it may."""
    if event_types and not days:
        return "says by which events, and exclude_seen_days not in how many days: give both"
    return None


@dataclass(frozen=True, slots=True)
class PlacementWishes:
    """What a request says beside the name of a placement and its target.

    Attributes:
        controls: what stands instead of the placement's, by the names of fields of Controls.
        boosts, pins, exclusions: beside the shop's rules.
    """

    limit: int
    filter: str = ""
    excluded_item_ids: tuple[str, ...] = ()
    page_token: str = ""
    explain: bool = True
    controls: Mapping[str, Any] = field(default_factory=dict)
    boosts: tuple[Boost, ...] = ()
    pins: tuple[Pin, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def is_about_user(self) -> bool:
        """Whether a filter compares with what is said of the user."""
        return bool(self.fields_about_user)

    @property
    def fields_about_user(self) -> list[str]:
        """The fields of the filters that compare with what is said of the user."""
        filters = {"filter": self.filter}
        filters |= {f"boosts.{n}.filter": each.filter for n, each in enumerate(self.boosts)}
        filters |= {f"exclusions.{n}.filter": each.filter for n, each in enumerate(self.exclusions)}
        return [name for name, text in filters.items() if names_user(text)]

    def for_user(self, user: Mapping[str, Attribute] | None) -> "PlacementWishes":
        """The same with the user's own values in its filters.

        Args:
            user: None where it is not known what is said of the user; boosts that depend on it are
                left out then.

        Raises:
            Unavailable: the filter, or an exclusion, depends on it: nothing is better than what it
                would not let pass.
        """
        if user is None:
            if any(map(names_user, (self.filter, *(each.filter for each in self.exclusions)))):
                raise Unavailable("users", "what a filter compares with cannot be read")
            return replace(self, boosts=tuple(b for b in self.boosts if not names_user(b.filter)))
        return replace(
            self,
            filter=bound_filter(self.filter, user),
            boosts=tuple(bound(boost, user) for boost in self.boosts),
            exclusions=tuple(bound(each, user) for each in self.exclusions),
        )


async def for_shopper(
    shown: ShownPlacement,
    wishes: PlacementWishes,
    tenant: str,
    visitor: str | None,
    now_ms: int,
    attributes_of: AttributesOf,
) -> tuple[ShownPlacement, PlacementWishes]:
    """A placement with the rules that are for the shopper, and wishes with the shopper's values.

    What the shop says of the shopper is read only where a rule that holds now, or a filter, depends
    on it. Of one who is not known nothing is said.

    Raises:
        Unavailable: see `PlacementWishes.for_user`.
    """
    if not (shown.settings.is_about_users_at(now_ms) or wishes.is_about_user):
        return shown, wishes
    user = {} if visitor is None else await attributes_of(tenant, visitor)
    return shown.for_user(user), wishes.for_user(user)


def placed_request(
    tenant: str,
    target: Target | None,
    visitor: str | None,
    wishes: PlacementWishes,
    shown: ShownPlacement,
    event_types: EventTypes,
    windows: Collection[int],
    now_ms: int,
) -> RecommendationRequest:
    """The request for a placement.

    Args:
        target: None where it does not matter who looks.
        visitor: None where it is not known who looks.
        shown: with the rules that are for the shopper, where any depends on that.
        event_types: of the shop.
        windows: days of each window that the shop counts.
        now_ms: UTC milliseconds, by which rules hold or not.

    Raises:
        InvalidInput: naming every field at fault.
    """
    problems = {
        "exclude_event_types": unremembered(
            wishes.controls.get("exclude_event_types", ()), event_types
        ),
        "window_days": window_problem(wishes.controls.get("window_days", 0), windows),
    }
    if any(problems.values()):
        raise InvalidInput([FieldProblem(name, why) for name, why in problems.items() if why])
    settings = shown.settings.controls_at(now_ms)
    days = wishes.controls.get("exclude_seen_days", settings.exclude_seen_days)
    if reason := seen_problem(wishes.controls.get("exclude_event_types", ()), days):
        raise InvalidInput([FieldProblem("exclude_event_types", reason)])
    controls = replace(
        settings,
        explain=wishes.explain,
        boosts=settings.boosts + wishes.boosts,
        pins=settings.pins + wishes.pins,
        exclusions=settings.exclusions + wishes.exclusions,
        **wishes.controls,
    )
    # Of a user whom the list is for everything is read.
    asks_of_visitor = controls.asks_of_shopper and not isinstance(target, UserTarget)
    return RecommendationRequest(
        tenant,
        target or SessionTarget(()),
        wishes.limit,
        placement=shown.settings.generators,
        filter=wishes.filter,
        excluded_item_ids=wishes.excluded_item_ids,
        page_token=wishes.page_token,
        controls=controls,
        is_degraded=shown.is_incomplete,
        visitor_id=(visitor or "") if asks_of_visitor else "",
    )
