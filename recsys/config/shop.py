"""The shop's own settings: event types, half-lives and the gate, read from a TOML file."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic_core import PydanticCustomError

from recsys.config.experiment_settings import ExperimentSettings, experiments_of
from recsys.config.numbers import NO_BOOLEAN
from recsys.config.placement_settings import (
    PlacementSettings,
    PlacementTable,
    RuleSettings,
    check_rules,
    placement_of,
    scheduled,
)
from recsys.config.toml_file import toml_document, validated
from recsys.core.domain import identifier_problem
from recsys.core.errors import ConfigurationError
from recsys.core.event_types import EventType, unremembered
from recsys.core.limits import MAX_NUMBER, MAX_WINDOW_DAYS, MAX_WINDOWS
from recsys.core.popularity_windows import window_problem
from recsys.core.quotas import Quotas
from recsys.core.serving.controls import Controls
from recsys.core.serving.experiments import Experiment
from recsys.core.serving.placement import Placement, ScheduledRule

_SHIPPED = resources.files("recsys.config") / "shop.toml"

_Days = Annotated[float, Field(gt=0, le=36500, allow_inf_nan=False), NO_BOOLEAN]
_FiniteWeight = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False), NO_BOOLEAN]
# Of types that a shop's file gives no weight, until training has found one.
_GOAL_WEIGHT, _OTHER_WEIGHT = 1.0, 0.3
# Above one, ten pieces would count more than ten times one.
_Exponent = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), NO_BOOLEAN]
_Rating = Annotated[float, Field(ge=0, le=MAX_NUMBER, allow_inf_nan=False), NO_BOOLEAN]
_Price = Annotated[float, Field(gt=0, le=MAX_NUMBER, allow_inf_nan=False), NO_BOOLEAN]


def _check_type_name(value: str) -> str:
    if reason := identifier_problem(value):
        raise ValueError(reason)
    return value


_TypeName = Annotated[str, AfterValidator(_check_type_name)]


class _EventTypeSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    weight: _FiniteWeight | None = None
    excludes: bool = False
    half_life_days: _Days | None = None
    quantity_exponent: _Exponent = 0.0
    price_exponent: _Exponent = 0.0
    typical_price: _Price | None = None
    rating_scale: tuple[_Rating, _Rating] | None = None
    rating_counts: bool = False

    @model_validator(mode="after")
    def _has_what_prices_are_compared_with(self) -> "_EventTypeSettings":
        if self.price_exponent and self.typical_price is None:
            raise PydanticCustomError(
                "typical_price", "price_exponent needs a typical_price to compare prices with"
            )
        return self

    @model_validator(mode="after")
    def _has_ratings_that_make_sense(self) -> "_EventTypeSettings":
        if self.rating_scale and self.rating_scale[0] >= self.rating_scale[1]:
            raise PydanticCustomError(
                "rating_scale", "rating_scale must be the lowest rating, then a higher one"
            )
        if self.rating_counts and self.rating_scale is None:
            raise PydanticCustomError(
                "rating_counts", "rating_counts needs a rating_scale, whose middle says nothing"
            )
        if self.rating_counts and (self.weight or 0) < 0:
            raise PydanticCustomError(
                "rating_counts",
                "rating_counts needs a weight that is not negative: a rating"
                " below the middle of its scale takes away already",
            )
        return self

    def to_event_type(self, *, is_goal: bool) -> EventType:
        """The type, with a weight to begin with where none is given."""
        usual = _GOAL_WEIGHT if is_goal else _OTHER_WEIGHT
        weight = usual if self.weight is None else self.weight
        return EventType(**(dict(self) | {"weight": weight}))


_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), NO_BOOLEAN]


@pydantic_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class GateLimits:
    """Limits of the gate; shop.toml has their reasons.

    Attributes:
        min_judged_users: fewer users with a held-out future judge nothing.
        max_ndcg_drop, max_users_drop, max_items_drop, max_pairs_drop: shares that may be lost.
        min_popular_kept: share of the most popular items that must stay popular.
    """

    min_judged_users: Annotated[int, Field(ge=1), NO_BOOLEAN] = 100
    max_ndcg_drop: _Share = 0.1
    max_users_drop: _Share = 0.2
    max_items_drop: _Share = 0.5
    max_pairs_drop: _Share = 0.2
    min_popular_kept: _Share = 0.3


# Part of a URL.
_PlacementName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


# Of requests in a second: more than any gateway answers.
MAX_RATE = 1e6
_Rate = Annotated[float, Field(gt=0, le=MAX_RATE, allow_inf_nan=False), NO_BOOLEAN]


@pydantic_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class RequestLimits:
    """Rate limits of a shop's callers at each gateway; shop.toml has their reasons.

    Attributes:
        requests_per_second: of a key that has no limit of its own.
        browser_requests_per_second: of a source address with a public key.
    """

    requests_per_second: _Rate = 5000.0
    browser_requests_per_second: _Rate = 50.0


_MEBIBYTE = 1024**2
# One user's events may be 20 MiB, and one item 1 MiB.
_Mebibytes = Annotated[int, Field(ge=32, le=1024**2), NO_BOOLEAN]


class _QuotaSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    recent_users: Annotated[int, Field(ge=1, le=10**9), NO_BOOLEAN] = Quotas().recent_users
    recent_mebibytes: _Mebibytes = Quotas().recent_bytes // _MEBIBYTE
    catalogue_mebibytes: _Mebibytes = Quotas().catalogue_bytes // _MEBIBYTE

    def to_quotas(self) -> Quotas:
        return Quotas(
            self.recent_users,
            self.recent_mebibytes * _MEBIBYTE,
            self.catalogue_mebibytes * _MEBIBYTE,
        )


# As browsers write it: scheme, host and port in lower case, no path and no slash at the end.
_Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")]


class _CorsSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    allowed_origins: list[_Origin] = []


_WindowDays = Annotated[int, Field(ge=1, le=MAX_WINDOW_DAYS), NO_BOOLEAN]


class _ShopFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    half_life_days: _Days | None = None
    popularity_half_life_days: _Days | None = None
    popularity_windows_days: Annotated[set[_WindowDays], Field(max_length=MAX_WINDOWS)] = set()
    event_types: Annotated[dict[_TypeName, _EventTypeSettings], Field(min_length=1)]
    goals: Annotated[list[str], Field(min_length=1)]
    placements: dict[_PlacementName, PlacementSettings] = {}
    rules: list[RuleSettings] = []
    experiments: list[ExperimentSettings] = []
    gate: GateLimits = GateLimits()
    limits: RequestLimits = RequestLimits()
    quotas: _QuotaSettings = _QuotaSettings()
    cors: _CorsSettings = _CorsSettings()

    def types(self) -> dict[str, EventType]:
        """What an event of each type counts."""
        return {
            name: kind.to_event_type(is_goal=name in self.goals)
            for name, kind in self.event_types.items()
        }

    @model_validator(mode="after")
    def _has_rules_that_go_together(self) -> "_ShopFile":
        check_rules(self.rules, self.placements)
        return self

    @model_validator(mode="after")
    def _has_placements_by_what_counts(self) -> "_ShopFile":
        for name, table in self.placements.items():
            self._check_controls(f"placements.{name}.", table)
        for experiment in experiments_of(self.experiments, self.placements, ()):
            for variant in experiment.variants:
                for name, placement in variant.placements.items():
                    place = f"experiment {experiment.name!r}, variant {variant.name!r}, {name}: "
                    self._check_controls(place, placement.controls)
        return self

    def _check_controls(self, place: str, settings: PlacementTable | Controls) -> None:
        types = self.types()
        problems = {
            "exclude_event_types": unremembered(settings.exclude_event_types, types),
            "window_days": window_problem(settings.window_days, self.popularity_windows_days),
        }
        for name, reason in problems.items():
            if reason:
                context = {"place": place, "name": name, "reason": reason}
                raise PydanticCustomError(name, "{place}{name}: {reason}", context)

    @field_validator("goals")
    @classmethod
    def _are_event_types(cls, goals: list[str], info: ValidationInfo) -> list[str]:
        known = info.context.get("event_types") if info.context else None
        if isinstance(known, dict) and (unknown := [goal for goal in goals if goal not in known]):
            raise PydanticCustomError(
                "goals", "{goal} is not one of the event_types", {"goal": repr(unknown[0])}
            )
        return goals


@dataclass(frozen=True)
class Shop:
    """A shop's configuration: the meaning of its events, its placements, the limits of its gate.

    Attributes:
        half_life_days: an event this old counts half, unless its type has its own half-life; None
            where training finds it.
        popularity_half_life_days: the same for what is popular.
        target_types: the types of event that recommendations are judged by.
        event_types: every type the shop may send.
        unfixed_weights: the types that take nothing away and whose weight training may find.
        windows_days: of each window that popularity is counted in, too, in ascending order.
        placements: the lists of the storefront, by their names.
        rules: for all placements, at all times; each placement has its own of them, too.
        experiments: in the order of the file, those that are stopped, too.
        gate: when a new model may replace the one that serves.
        limits: how often callers may ask.
        quotas: how much of the serving store the shop may take.
        allowed_origins: of pages whose scripts may read what the API answers.
    """

    half_life_days: float | None
    popularity_half_life_days: float | None
    target_types: tuple[str, ...]
    event_types: dict[str, EventType]
    unfixed_weights: tuple[str, ...] = ()
    windows_days: tuple[int, ...] = ()
    placements: dict[str, Placement] = field(default_factory=dict)
    rules: tuple[ScheduledRule, ...] = ()
    experiments: tuple[Experiment, ...] = ()
    gate: GateLimits = field(default_factory=GateLimits)
    limits: RequestLimits = field(default_factory=RequestLimits)
    quotas: Quotas = field(default_factory=Quotas)
    allowed_origins: tuple[str, ...] = ()

    @property
    def windowed_types(self) -> tuple[str, ...]:
        """Types of events that windows of popularity count; none where there are no windows."""
        return self.target_types if self.windows_days else ()

    @cached_property
    def counts_impressions(self) -> bool:
        """Whether any of its lists tires of items that were shown often."""
        variants = (variant for experiment in self.experiments for variant in experiment.variants)
        changed = (placement for each in variants for placement in each.placements.values())
        return any(each.controls.fatigue for each in (*self.placements.values(), *changed))


def load_shop(path: Path | None = None) -> Shop:
    """Read a shop's settings from `path`, or the ones that come with the package.

    What a shop's file does not name is as in these.

    Raises:
        ConfigurationError: naming the file and every setting at fault.
    """
    settings, own = _read(path or _SHIPPED)
    rules = scheduled(settings.rules)
    return Shop(
        half_life_days=settings.half_life_days,
        popularity_half_life_days=settings.popularity_half_life_days,
        target_types=tuple(settings.goals),
        event_types=settings.types(),
        unfixed_weights=_unfixed_weights(settings, own),
        windows_days=tuple(sorted(settings.popularity_windows_days)),
        placements={
            name: placement_of(name, table, rules) for name, table in settings.placements.items()
        },
        rules=rules,
        experiments=experiments_of(settings.experiments, settings.placements, rules),
        gate=settings.gate,
        limits=settings.limits,
        quotas=settings.quotas.to_quotas(),
        allowed_origins=tuple(settings.cors.allowed_origins),
    )


def _read(source: Path | Traversable) -> tuple[_ShopFile, Collection[str]]:
    """The settings, and what of their top level a file of the shop's own names."""
    try:
        shipped = toml_document(_SHIPPED)
        own = {} if source is _SHIPPED else toml_document(source)
    except OSError as error:
        raise ConfigurationError(f"cannot read the shop settings: {error}") from error
    return validated(source, shipped | own, _ShopFile), own.keys()


def _unfixed_weights(settings: _ShopFile, own: Collection[str]) -> tuple[str, ...]:
    """Types of a positive weight that no file of the shop's own gives them."""
    types = settings.types()
    named = {
        name
        for name, kind in settings.event_types.items()
        if "event_types" in own and "weight" in kind.model_fields_set
    }
    return tuple(name for name in types if types[name].weight > 0 and name not in named)
