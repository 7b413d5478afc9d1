"""Settings of a whole model: factors, neighbours and trend."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from recsys.config.shop import Shop
from recsys.core.errors import ConfigurationError
from recsys.training.als.settings import AlsSettings, refuse_fractions, refuse_out_of_range

# A minute to a century: what is outside would be a mistake of units.
_HALF_LIFE_BOUNDS = (1 / 1440, 36_500)
_MAX_WEIGHT = 1e6


@dataclass(frozen=True)
class ModelSettings:
    """Settings of training; docs/decisions/0008-training.md says how the defaults were chosen.

    Attributes:
        als: of the factors.
        neighbour_weight: what the neighbour part counts beside that of the factors, when both are
            measured by the scores of the items that come first.
        neighbours: of an item, the most alike; a live answer adds up those of each item that the
            shopper had.
        popularity_exponent: how much being popular takes from an item as a neighbour, see
            `recsys.training.neighbours`.
        order_weight: what the followers of items count, see `recsys.training.followers`, measured
            as the neighbour part is; 0 leaves them out.
        step_half_life: steps after which behaviour counts half in an answer, see
            `recsys.core.recency`; None where its order does not count.
        trend_exponent: how much an item's trend counts, see `recsys.training.popularity`; 0 turns
            it off.
        half_life_days, popularity_half_life_days: ages at which an event counts half, see
            `recsys.core.strength`.
        event_weights: of types of events, by name; all others have the weight that the shop's
            settings give them.

    Raises:
        ConfigurationError: naming the setting that makes no sense.
    """

    als: AlsSettings = field(default_factory=AlsSettings)
    neighbour_weight: float = 0.2
    neighbours: int = 50
    popularity_exponent: float = 0.65
    order_weight: float = 0.0
    step_half_life: float | None = None
    trend_exponent: float = 0.75
    half_life_days: float = 180.0
    popularity_half_life_days: float = 14.0
    event_weights: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        refuse_fractions(self, "neighbours")
        refuse_out_of_range(
            self,
            neighbour_weight=(0, 1000),
            neighbours=(1, 1000),
            popularity_exponent=(0, 1),
            order_weight=(0, 1000),
            step_half_life=(0.1, 1000),
            trend_exponent=(0, 4),
            half_life_days=_HALF_LIFE_BOUNDS,
            popularity_half_life_days=_HALF_LIFE_BOUNDS,
        )
        for name, weight in self.event_weights.items():
            if not 0 < abs(weight) <= _MAX_WEIGHT:
                raise ConfigurationError(
                    f"event_weights.{name}: must not be 0, and at most {_MAX_WEIGHT:g} either way"
                )

    @property
    def half_lives(self) -> tuple[float, float]:
        """Half-lives of behaviour and of popularity, in days."""
        return self.half_life_days, self.popularity_half_life_days

    @property
    def counting(self) -> tuple[float, float, Mapping[str, float]]:
        """All that says what events count."""
        return self.half_life_days, self.popularity_half_life_days, self.event_weights

    def refuse_unknown_types(self, shop: Shop) -> None:
        """Refuse a weight of a type that the shop does not have: it would count for nothing.

        Raises:
            ConfigurationError: naming the type, and those that there are.
        """
        if unknown := sorted(self.event_weights.keys() - shop.event_types.keys()):
            raise ConfigurationError(
                f"event_weights.{unknown[0]}: the shop has no such event type; there are:"
                f" {', '.join(shop.event_types)}"
            )

    def as_fixed_by(self, shop: Shop) -> "ModelSettings":
        """The same with all that the shop has fixed: half-lives, and weights of events."""
        found = {
            name: weight
            for name, weight in self.event_weights.items()
            if name in shop.unfixed_weights
        }
        return replace(
            self,
            half_life_days=shop.half_life_days or self.half_life_days,
            popularity_half_life_days=shop.popularity_half_life_days
            or self.popularity_half_life_days,
            event_weights=found,
        )


def settings_entry(settings: ModelSettings) -> dict[str, Any]:
    """Settings as JSON values, by name; those of the factors are under `als`."""
    entry = asdict(settings)
    entry["als"]["device"] = settings.als.device.value
    return entry


def settings_of_entry(entry: Mapping[str, Any]) -> ModelSettings:
    """Settings of such values; what is not among them has its default.

    Raises:
        ValidationError: of pydantic, when a value is of another kind.
        ConfigurationError: when one makes no sense.
    """
    return TypeAdapter(ModelSettings).validate_python(entry)
