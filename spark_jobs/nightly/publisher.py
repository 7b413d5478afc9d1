"""A version of the model store into Redis: all its keys first, then one pointer move."""

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import SparkSession

from recsys.core.model import ItemSide
from recsys.core.ports import HiddenItems, ItemStore, PublishedModels
from recsys.stores.manifest import Manifest
from recsys.stores.model_codec import unpack_items
from recsys.stores.model_files import ModelFiles
from spark_jobs.publish_recommendations import publish_users
from spark_jobs.settings import BatchSettings

MODELS_KEPT = 5


@dataclass(frozen=True)
class Publisher:
    """Publishes versions, whatever their quality: that is the gate's business."""

    spark: SparkSession
    settings: BatchSettings
    models: ModelFiles
    published: PublishedModels
    items: ItemStore
    hidden: HiddenItems
    say: Callable[[str], None]

    def publish(self, manifest: Manifest) -> None:
        """Write all keys of a stored version, verify them, move the pointer, retire old versions.

        Raises:
            InvalidModel: a file is damaged or a record missing in Redis; the pointer has not moved.
        """
        tenant, version = manifest.tenant, manifest.version
        before = self.published.current(tenant)
        item_bytes = self.models.item_bytes(tenant, version)
        self._hide_unavailable(tenant, unpack_items(item_bytes))
        url = self.settings.redis_url.get_secret_value()
        publish_users(self.spark, self.settings.model_store.resolve(), url, manifest)
        self.published.write_items(tenant, version, manifest.to_json(), item_bytes)
        self.published.activate(tenant, version)
        self.models.mark_serving(tenant, version)
        self.say(f"{manifest.data.users:,} users published; {version} serves now")
        # Answers under way may still read the version before; the ones before that are unused.
        self._retire(tenant, {version, before or version})

    def _hide_unavailable(self, tenant: str, side: ItemSide) -> None:
        """Hide what the model would recommend and the catalogue no longer offers.

        Serving hides an item when it becomes unavailable, but Redis may have been emptied since, or
        the model may be an old one.
        """
        available = {item.item_id for item in self.items.scan(tenant) if item.available}
        if not available:
            # A shop without a catalogue recommends whatever its shoppers touch.
            return
        eligible = (item_id for row, item_id in enumerate(side.ids) if side.eligible[row])
        for item_id in [i for i in eligible if i not in available]:
            self.hidden.hide(tenant, item_id)
            # The shop may have offered it again between the scan and the hiding.
            item = self.items.get(tenant, item_id)
            if item and item.available:
                self.hidden.show(tenant, item_id)

    def _retire(self, tenant: str, kept: set[str]) -> None:
        self.published.retire(tenant, kept)
        for old in self.models.versions(tenant)[:-MODELS_KEPT]:
            if old not in kept:
                self.models.remove(tenant, old)
