"""The shop's own settings: event types, their weights and the half-life, read from a TOML file."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.core.errors import ConfigurationError
from recsys.core.event_types import EventType

_Days = Annotated[float, Field(gt=0, le=36500, allow_inf_nan=False)]
_FiniteWeight = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]


class _EventTypeSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    weight: _FiniteWeight
    excludes: bool = False


class _ShopFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    half_life_days: _Days
    popularity_half_life_days: _Days
    goals: Annotated[list[str], Field(min_length=1)]
    event_types: Annotated[dict[str, _EventTypeSettings], Field(min_length=1)]


@dataclass(frozen=True)
class Shop:
    """What a shop's events mean.

    Attributes:
        half_life_days: an event this old counts half.
        popularity_half_life_days: the same for what is popular.
        goals: the types of event that recommendations are judged by.
        event_types: every type the shop may send.
    """

    half_life_days: float
    popularity_half_life_days: float
    goals: tuple[str, ...]
    event_types: dict[str, EventType]


def load_shop(path: Path | None = None) -> Shop:
    """Read the shop's settings from `path`, or the ones that come with the package.

    Raises:
        ConfigurationError: naming the file and the setting at fault.
    """
    source = path or resources.files("recsys.runtime") / "shop.toml"
    try:
        settings = _ShopFile.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"cannot read the shop settings: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{source} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"{source}: {setting}: {first['msg']}") from error
    types = {name: EventType(t.weight, t.excludes) for name, t in settings.event_types.items()}
    if unknown := [goal for goal in settings.goals if goal not in types]:
        raise ConfigurationError(f"{source}: goals: {unknown[0]!r} is not one of the event_types")
    return Shop(
        half_life_days=settings.half_life_days,
        popularity_half_life_days=settings.popularity_half_life_days,
        goals=tuple(settings.goals),
        event_types=types,
    )
