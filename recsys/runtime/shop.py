"""The shop's own settings: event types, their weights and the half-life, read from a TOML file."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from recsys.core.errors import ConfigurationError
from recsys.core.event_types import EventType

_FiniteWeight = Annotated[float, Field(ge=-1000, le=1000, allow_inf_nan=False)]


class _EventTypeSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    weight: _FiniteWeight
    excludes: bool = False


class _ShopFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    half_life_days: Annotated[float, Field(gt=0, le=36500, allow_inf_nan=False)]
    event_types: Annotated[dict[str, _EventTypeSettings], Field(min_length=1)]


class Shop:
    """What a shop's events mean.

    Attributes:
        half_life_days: an event this old counts half.
        event_types: every type the shop may send.
    """

    def __init__(self, half_life_days: float, event_types: dict[str, EventType]) -> None:
        self.half_life_days = half_life_days
        self.event_types = event_types


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
    return Shop(settings.half_life_days, types)
