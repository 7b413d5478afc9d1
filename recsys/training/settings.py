"""Settings of a whole model: factors, neighbours and trend."""

from dataclasses import asdict, dataclass, field
from typing import Any

from recsys.core.errors import ConfigurationError
from recsys.training.als.settings import AlsSettings


@dataclass(frozen=True)
class ModelSettings:
    """How a model is trained; docs/decisions/0008-training.md says how the defaults were chosen.

    Attributes:
        als: of the factors.
        neighbour_weight: what the neighbour part counts beside that of the factors, when both are
            measured by the scores of the items that come first.
        popularity_exponent: how much being popular takes from an item as a neighbour, see
            `recsys.training.neighbours`.
        trend_exponent: how much an item's trend counts, see `recsys.training.popularity`; 0 turns
            it off.

    Raises:
        ConfigurationError: naming the setting that makes no sense.
    """

    als: AlsSettings = field(default_factory=AlsSettings)
    neighbour_weight: float = 0.15
    popularity_exponent: float = 0.6
    trend_exponent: float = 0.75

    def __post_init__(self) -> None:
        for name, most in (
            ("neighbour_weight", 1000),
            ("popularity_exponent", 1),
            ("trend_exponent", 4),
        ):
            if not 0 <= getattr(self, name) <= most:
                raise ConfigurationError(f"{name} must be between 0 and {most}")


def settings_entry(settings: ModelSettings) -> dict[str, Any]:
    """Settings as JSON values, by name; those of the factors are under `als`."""
    entry = asdict(settings)
    entry["als"]["device"] = settings.als.device.value
    return entry
