"""The publish step: a version into Redis under its own keys, then one pointer move."""

from collections.abc import Callable

from pyspark.sql import SparkSession

from recsys.core.ports import PublishedModels
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.gate import check_gate
from spark_jobs.publish_recommendations import publish_users
from spark_jobs.settings import BatchSettings

MODELS_KEPT = 5


def publish_candidate(context: Context) -> Manifest:
    """Ask the gate, then publish.

    Raises:
        GateRefused: the serving version stays.
        InvalidModel: a record is missing in Redis; the serving version stays.
        NotFound: when an earlier step has not run.
    """
    manifest = context.models.manifest(context.plan.tenant, context.folder.candidate())
    verdict = check_gate(manifest, context.serving_manifest(), context.plan.max_drop)
    context.say(f"gate {verdict}")
    publish_version(
        context.spark, context.settings, context.models, context.published, manifest, context.say
    )
    return manifest


def publish_version(
    spark: SparkSession,
    settings: BatchSettings,
    models: ModelFiles,
    published: PublishedModels,
    manifest: Manifest,
    say: Callable[[str], None],
) -> None:
    """Write all keys of a stored version, verify them, move the pointer, retire old versions.

    Raises:
        InvalidModel: a record is missing in Redis; the pointer has not moved.
    """
    tenant, version = manifest.tenant, manifest.version
    before = published.current(tenant)
    url = settings.redis_url.get_secret_value()
    publish_users(spark, settings.model_store.resolve(), url, manifest)
    items = models.item_bytes(tenant, version)
    published.write_items(tenant, version, manifest.to_json(), items)
    published.activate(tenant, version)
    say(f"{manifest.data.users:,} users published; {version} serves now")
    # Answers under way may still read the version before; the ones before that are unused.
    kept = {version, before or version}
    published.retire(tenant, kept)
    for old in models.versions(tenant)[:-MODELS_KEPT]:
        if old not in kept:
            models.remove(tenant, old)
