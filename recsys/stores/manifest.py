"""The manifest of a model version: what it was made from and with, and how good it is."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.core.errors import InvalidModel
from recsys.core.event_types import EventType
from recsys.core.model import ScoringParams
from recsys.core.shop_time import Pause
from recsys.core.times import MS_PER_DAY

FORMAT = 3
# The oldest format that this release reads: it knows nothing of the order of behaviour.
_OLDEST_FORMAT = 2


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EventTypeEntry(_Part):
    """`recsys.core.event_types.EventType` as JSON; what earlier releases did not know may lack."""

    weight: float
    excludes: bool
    half_life_days: float | None = None
    quantity_exponent: float = 0.0
    price_exponent: float = 0.0
    typical_price: float | None = None


class ScoringParamsEntry(_Part):
    """`recsys.core.model.ScoringParams` as JSON."""

    alpha: float
    regularization: float
    frequency_weight: float
    neighbour_weight: float
    half_life_days: float
    event_types: dict[str, EventTypeEntry]
    as_of_ms: int
    read_at_ms: int
    end_ms: int
    pauses: tuple[Pause, ...] = ()
    step_half_life: float | None = None

    def to_params(self) -> ScoringParams:
        types = {name: EventType(**dict(entry)) for name, entry in self.event_types.items()}
        return ScoringParams(**(dict(self) | {"event_types": types}))


class Data(_Part):
    """Data that was read. `fingerprint` changes when events, items or settings do."""

    events: int
    users: int
    items: int
    pairs: int
    fingerprint: str


class FitTrialEntry(_Part):
    """One training of a search for settings, and its NDCG@20 on the validation part."""

    stage: str
    ndcg: float
    settings: dict[str, Any]


class FitEntry(_Part):
    """Search that found the settings, on a held-out part of what came before the evaluated days.

    Attributes:
        effort: how much was tried.
        judged_users: users of the validation part.
        ndcg, start_ndcg: NDCG@20 there, of what was found and of what the search began with.
        trials: in their order.
        seconds: wall-clock; that of the training itself is beside it.
    """

    effort: str
    judged_users: int
    ndcg: float
    start_ndcg: float
    trials: tuple[FitTrialEntry, ...]
    seconds: float


class Training(_Part):
    """Training of the model.

    Attributes:
        settings: by name; those that were asked for, or found by `fit`.
        content_r_squared: how well the content of items foresees their factors.
    """

    settings: dict[str, Any]
    backend: str
    device: str
    versions: dict[str, str]
    seconds: float
    fit: FitEntry | None = None
    content_r_squared: float | None = None


class Evaluation(_Part):
    """Metrics on the held-out future, of the model and of the popularity baseline.

    `users` is how many users the means are over; metrics are empty when there were none.
    `holdout_days` is unknown of versions of earlier releases. `cold_items` has the metrics of
    model, popularity and random over the items that had no behaviour before the split, where
    anybody wanted one of them.
    """

    split_at_ms: int
    holdout_days: float | None = None
    users: int
    model: dict[str, float]
    popularity: dict[str, float]
    cold_items: dict[str, dict[str, float]] = Field(default_factory=dict)


class Reach(_Part):
    """Users and items that a model reaches, known without any held-out future.

    Attributes:
        listed_users: users with a personal list.
        recommendable_items: items that may be recommended and have factors.
        counted_pairs: user-item pairs of positive strength.
    """

    listed_users: int
    recommendable_items: int
    counted_pairs: int


class GateEntry(_Part):
    """The verdict of the gate; `refusals` are its reasons, which `forced` says were overridden."""

    refusals: tuple[str, ...]
    forced: bool


class Manifest(_Part):
    """One model version in words and numbers; `sha256` holds the checksums of its files by name."""

    format: int = FORMAT
    version: str
    tenant: str
    created_at: str
    recipe: ScoringParamsEntry
    data: Data
    training: Training
    reach: Reach | None = None
    evaluation: Evaluation | None = None
    gate: GateEntry | None = None
    sha256: dict[str, str] = Field(default_factory=dict)

    def holdout_days(self) -> float:
        """Length of the time that this version was judged by; 0 when it was not judged."""
        judged = self.evaluation
        if judged is None:
            return 0.0
        if judged.holdout_days is not None:
            return judged.holdout_days
        return (self.recipe.as_of_ms - judged.split_at_ms) / MS_PER_DAY

    def to_json(self) -> bytes:
        return self.model_dump_json(indent=2).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """Read a manifest.

        Raises:
            InvalidModel: when it is damaged or of a format this release does not know.
        """
        try:
            manifest = cls.model_validate_json(text)
        except ValidationError as error:
            raise InvalidModel(f"the manifest is damaged: {error.errors()[0]['msg']}") from error
        if not _OLDEST_FORMAT <= manifest.format <= FORMAT:
            raise InvalidModel(
                f"the model has format {manifest.format},"
                f" this release reads {_OLDEST_FORMAT} to {FORMAT}"
            )
        return manifest


def params_entry(params: ScoringParams) -> ScoringParamsEntry:
    """Turn scoring parameters into their manifest entry."""
    types = {name: EventTypeEntry(**asdict(kind)) for name, kind in params.event_types.items()}
    return ScoringParamsEntry(**(vars(params) | {"event_types": types}))
