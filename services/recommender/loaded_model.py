"""A published version in memory: complete, verified, never changed."""

from collections.abc import Collection
from dataclasses import dataclass

from recsys.core.model import ItemSide, Recipe
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import unpack_items
from recsys.stores.model_files import ITEMS, check_digest


@dataclass(frozen=True)
class LoadedModel:
    """What answers are made from. One request uses one instance from start to end."""

    version: str
    items: ItemSide
    recipe: Recipe

    def rows_of(self, item_ids: Collection[str]) -> frozenset[int]:
        """The item rows of those ids that the model knows."""
        rows = (self.items.ids.index_of(item_id) for item_id in item_ids)
        return frozenset(row for row in rows if row is not None)


def load_model(manifest_json: bytes, items: bytes) -> LoadedModel:
    """Verify and unpack a published version; takes seconds for a million items.

    Raises:
        InvalidModel: when anything about it is wrong.
    """
    manifest = Manifest.from_json(manifest_json)
    check_digest(manifest, ITEMS, items)
    model = LoadedModel(manifest.version, unpack_items(items), manifest.recipe.to_recipe())
    # Computed on first use otherwise, and then a shopper would wait for it.
    _ = model.items.gramian, model.items.recommendable
    return model
