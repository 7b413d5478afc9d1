"""A request for a placement by its name: what settings, variant and request say together."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from recsys.core.errors import FieldProblem, InvalidInput
from recsys.core.event_types import EventTypes, unremembered
from recsys.core.popularity_windows import window_problem
from recsys.core.serving.controls import Boost, Exclusion, Pin
from recsys.core.serving.experiments import Assignment, Experiment, assignment
from recsys.core.serving.placement import Placement
from recsys.core.serving.request import RecommendationRequest, SessionTarget, Target

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
    """

    name: str
    settings: Placement
    experiment: Assignment | None = None


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


def placed_request(
    tenant: str,
    target: Target | None,
    wishes: PlacementWishes,
    placement: Placement,
    event_types: EventTypes,
    windows: Collection[int],
    now_ms: int,
) -> RecommendationRequest:
    """The request for a placement.

    Args:
        target: None where it does not matter who looks.
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
    settings = placement.controls_at(now_ms)
    controls = replace(
        settings,
        explain=wishes.explain,
        boosts=settings.boosts + wishes.boosts,
        pins=settings.pins + wishes.pins,
        exclusions=settings.exclusions + wishes.exclusions,
        **wishes.controls,
    )
    return RecommendationRequest(
        tenant,
        target or SessionTarget(()),
        wishes.limit,
        placement=placement.generators,
        filter=wishes.filter,
        excluded_item_ids=wishes.excluded_item_ids,
        page_token=wishes.page_token,
        controls=controls,
    )
