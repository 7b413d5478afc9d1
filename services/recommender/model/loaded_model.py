"""A published version in memory: complete, verified, never changed."""

from dataclasses import dataclass, field

from recsys.core.limits import MAX_LIMIT
from recsys.core.model import ItemModel, ScoringParams
from recsys.core.serving.live_windows import LiveWindows
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import unpack_items
from recsys.stores.model_files import ITEMS, check_digest
from services.recommender.model.answer_cache import BoundedCache, CachedUser, Rendered
from services.recommender.model.calibration import fold_in_seconds
from services.recommender.model.shown_items import ShownItems

# There are fewer items than users, and what is alike to them changes with the model only.
_SIMILAR_SHARE = 4


@dataclass(frozen=True)
class LoadedModel:
    """A model version in memory. One request uses one instance from start to end.

    Attributes:
        items: as trained; what serves has more that are eligible, when they are back.
        fold_in_seconds: see `calibration`.
    """

    version: str
    items: ItemModel
    params: ScoringParams
    fold_in_seconds: float
    shown: ShownItems = field(compare=False, repr=False)
    windows: LiveWindows = field(compare=False, repr=False)
    users: BoundedCache[CachedUser] = field(compare=False, repr=False)
    similar: BoundedCache[Rendered] = field(compare=False, repr=False)

    def is_eligible(self, row: int) -> bool:
        """Tell whether the model was trained to recommend an item."""
        return row < len(self.items.ids) and bool(self.items.eligible[row])


def load_model(manifest_json: bytes, items: bytes, cache_bytes: int) -> LoadedModel:
    """Verify and unpack a published version; takes seconds for a million items.

    Args:
        cache_bytes: how much memory what was worked out for users and items may take.

    Raises:
        InvalidModel: when anything about it is wrong.
    """
    manifest = Manifest.from_json(manifest_json)
    check_digest(manifest, ITEMS, items)
    unpacked = unpack_items(items)
    # Computed on first use otherwise, and then a user would wait for it.
    _ = unpacked.spectrum, unpacked.has_factors
    params, shown = manifest.recipe.to_params(), ShownItems(unpacked)
    return LoadedModel(
        version=manifest.version,
        items=unpacked,
        params=params,
        fold_in_seconds=fold_in_seconds(unpacked, params, MAX_LIMIT),
        shown=shown,
        windows=LiveWindows(unpacked, shown.row_of),
        users=BoundedCache(cache_bytes - cache_bytes // _SIMILAR_SHARE),
        similar=BoundedCache(cache_bytes // _SIMILAR_SHARE),
    )
