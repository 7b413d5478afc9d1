"""Model versions to look at: from the model store, or trained here to try settings out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.analysis.shop_data import ShopData
from recsys.config.shop import Shop
from recsys.core.event_types import with_weights
from recsys.core.model import ScoringParams, TrainedModel
from recsys.core.shop_time import shop_time_of_events
from recsys.core.vocabulary import Vocabulary
from recsys.stores.model_files import ModelFiles
from recsys.training.build import build_model
from recsys.training.event_log import pairs_of
from recsys.training.settings import ModelSettings, settings_entry

# What every version has its own of, whatever it was made with.
_NEVER_THE_SAME = {"version", "created_at", "sha256"}


@dataclass(frozen=True)
class Version:
    """A model and what it was made with and from, by dotted names."""

    name: str
    entries: Mapping[str, str]
    model: TrainedModel


def stored_version(models: ModelFiles, tenant: str, name: str) -> Version:
    """Raises: NotFound, InvalidModel."""
    manifest = models.manifest(tenant, name).model_dump(exclude=_NEVER_THE_SAME)
    return Version(name, dict(_flat(manifest)), models.model(tenant, name))


def trained_version(
    name: str, data: ShopData, shop: Shop, settings: ModelSettings, before_ms: int
) -> Version:
    """Train on what happened before a time, as the nightly run trains the model it judges.

    Args:
        settings: half-lives and weights that the shop has fixed go before theirs, as there.

    Raises:
        ConfigurationError: when a weight is of a type that the shop does not have.
        NoData: when nothing of positive weight happened before.
    """
    settings.refuse_unknown_types(shop)
    settings = settings.as_fixed_by(shop)
    log = data.log.only(data.log.times_ms() < before_ms)
    pairs = pairs_of(log.with_weights(settings.event_weights), *settings.half_lives)
    titles = tuple(data.titles.get(item_id, "") for item_id in pairs.items)
    built = build_model(pairs, titles, _eligible(pairs.items, data), settings)
    clock = shop_time_of_events(log.times_ms(), log.users)
    params = ScoringParams(
        alpha=built.trained.alpha,
        regularization=settings.als.regularization,
        frequency_weight=settings.als.frequency_weight,
        neighbour_weight=built.neighbour_weight,
        half_life_days=settings.half_life_days,
        event_types=with_weights(shop.event_types, settings.event_weights),
        as_of_ms=clock.as_of_ms,
        read_at_ms=before_ms,
        end_ms=before_ms,
        pauses=clock.pauses,
        step_half_life=built.step_half_life,
        known_items=built.known_items,
    )
    entries = dict(_flat({"events": len(log), "settings": settings_entry(settings)}))
    return Version(name, entries, TrainedModel(params, built.items, built.users))


def differences(old: Version, new: Version) -> list[list[str]]:
    """Rows of name, old and new value, of everything in which two versions differ."""
    names = dict.fromkeys([*old.entries, *new.entries])
    rows = [[name, old.entries.get(name, "-"), new.entries.get(name, "-")] for name in names]
    return [row for row in rows if row[1] != row[2]]


def _eligible(items: Vocabulary, data: ShopData) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Mask of available items, (n,) bool; all items of a shop without a catalogue."""
    if not data.available:
        return np.ones(len(items), np.bool_)
    return np.array([data.available.get(item_id, False) for item_id in items], np.bool_)


def _flat(entries: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in entries.items():
        if isinstance(value, Mapping):
            found.extend(_flat(value, f"{prefix}{name}."))
        else:
            found.append((prefix + name, f"{value:.6g}" if type(value) is float else str(value)))
    return found
