"""The manifest of a model version: what it was made from and with, and how good it is."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from recsys.config.faults import fault_text
from recsys.core.errors import InvalidModel
from recsys.core.event_types import EventType
from recsys.core.model import ScoringParams
from recsys.core.shop_time import Pause
from recsys.core.times import MS_PER_DAY

# The format of what this release writes: one more with every change of manifest, model files, user
# records or run snapshots. tests/data/formats has a model of each.
FORMAT = 11
# The oldest format whose releases read what this one writes. It stays where a change is an addition
# that they may leave out: an entry with a default, an optional tensor, bytes at a record's end.
# Releases before 4 refuse every entry that they do not know.
LEAST_READER = 4
# The oldest format that this release reads: it knows nothing of the order of behaviour.
_OLDEST_FORMAT = 2


class _Part(BaseModel):
    # What a later release has added, and says that this one may leave out, is left out.
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Formats(_Part):
    """The part of a manifest that every release can read."""

    format: int
    # Manifests of before format 4 lack it: their own format is.
    least_reader: int | None = None

    def check(self) -> None:
        """Raises InvalidModel for a model that is too new, or too old, for this release."""
        needed = self.format if self.least_reader is None else self.least_reader
        if needed > FORMAT:
            raise InvalidModel(
                f"the model has format {self.format} and needs a release that reads format"
                f" {needed}; this one reads {_OLDEST_FORMAT} to {FORMAT}: upgrade it first"
            )
        if self.format < _OLDEST_FORMAT:
            raise InvalidModel(
                f"the model has format {self.format}, this release reads {_OLDEST_FORMAT} to"
                f" {FORMAT}: run recsys nightly to make a new one"
            )


class EventTypeEntry(_Part):
    """`recsys.core.event_types.EventType` as JSON; what earlier releases did not know may lack."""

    weight: float
    excludes: bool
    half_life_days: float | None = None
    quantity_exponent: float = 0.0
    price_exponent: float = 0.0
    typical_price: float | None = None
    rating_scale: tuple[float, float] | None = None
    rating_counts: bool = False


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
    target_types: tuple[str, ...] = ()
    known_items: int | None = None

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
        whole_at_events: how many events there were when all of the settings were searched for; the
            nights since then looked around what was found. None of versions of before format 11.
    """

    effort: str
    judged_users: int
    ndcg: float
    start_ndcg: float
    trials: tuple[FitTrialEntry, ...]
    seconds: float
    whole_at_events: int | None = None


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
    least_reader: int | None = LEAST_READER
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

    @field_validator("created_at")
    @classmethod
    def _check_time(cls, text: str) -> str:
        try:
            datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("must be a time such as 2026-01-31T12:00:00+00:00") from None
        return text

    def create_time(self) -> datetime:
        """Read `created_at`; a time without a zone is in UTC."""
        moment = datetime.fromisoformat(self.created_at)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def holdout_days(self) -> float:
        """Length of the time that this version was judged by; 0 when it was not judged."""
        judged = self.evaluation
        if judged is None:
            return 0.0
        if judged.holdout_days is not None:
            return judged.holdout_days
        return (self.recipe.as_of_ms - judged.split_at_ms) / MS_PER_DAY

    def to_json(self) -> bytes:
        # One of before least readers stays as it was: its releases refuse entries they do not know.
        unknown_then: dict[str, Any] = {"least_reader": True, "recipe": {"target_types"}}
        exclude = unknown_then if self.least_reader is None else None
        return self.model_dump_json(indent=2, exclude=exclude).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """Read a manifest.

        Raises:
            InvalidModel: when it is damaged, or too new or too old for this release.
        """
        try:
            # First: of a manifest that is too new, the rest may mean anything.
            _Formats.model_validate_json(text).check()
            document = json.loads(text, parse_float=_finite, parse_constant=_finite)
            # The default of what this release writes is none of what others wrote.
            return cls.model_validate({"least_reader": None, **document})
        except ValidationError as error:
            raise InvalidModel(
                f"the manifest is damaged: {fault_text(error.errors()[0])}"
            ) from error
        except ValueError as error:
            raise InvalidModel(f"the manifest is damaged: {error}") from error


def _finite(text: str) -> float:
    """Read a number, also one that Python takes for JSON and no other reader does."""
    if not isfinite(number := float(text)):
        raise ValueError(f"{text} is no finite number")
    return number


def params_entry(params: ScoringParams) -> ScoringParamsEntry:
    """Turn scoring parameters into their manifest entry."""
    types = {name: EventTypeEntry(**asdict(kind)) for name, kind in params.event_types.items()}
    return ScoringParamsEntry(**(vars(params) | {"event_types": types}))
