"""Settings of a whole model: factors, neighbours and trend."""

from dataclasses import asdict, dataclass, field
from typing import Any

from recsys.training.als.settings import AlsSettings, refuse_out_of_range


@dataclass(frozen=True)
class ModelSettings:
    """How a model is trained; docs/decisions/0008-training.md says how the defaults were chosen.

    Attributes:
        als: of the factors.
        neighbour_weight: what the neighbour part counts beside that of the factors, when both are
            measured by the scores of the items that come first.
        neighbours: of an item, the most alike; a live answer adds up those of each item that the
            shopper had.
        popularity_exponent: how much being popular takes from an item as a neighbour, see
            `recsys.training.neighbours`.
        trend_exponent: how much an item's trend counts, see `recsys.training.popularity`; 0 turns
            it off.

    Raises:
        ConfigurationError: naming the setting that makes no sense.
    """

    als: AlsSettings = field(default_factory=AlsSettings)
    neighbour_weight: float = 0.2
    neighbours: int = 50
    popularity_exponent: float = 0.65
    trend_exponent: float = 0.75

    def __post_init__(self) -> None:
        refuse_out_of_range(
            self,
            neighbour_weight=(0, 1000),
            neighbours=(1, 1000),
            popularity_exponent=(0, 1),
            trend_exponent=(0, 4),
        )


def settings_entry(settings: ModelSettings) -> dict[str, Any]:
    """Settings as JSON values, by name; those of the factors are under `als`."""
    entry = asdict(settings)
    entry["als"]["device"] = settings.als.device.value
    return entry
