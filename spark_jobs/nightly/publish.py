"""The publish step: the candidate into Redis under its own keys, then one pointer move."""

from recsys.stores.manifest import Manifest
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.gate import check_gate
from spark_jobs.publish_recommendations import publish_users

MODELS_KEPT = 5


def publish_candidate(context: Context) -> Manifest:
    """Check the gate, write all keys, verify them, move the pointer, retire old versions.

    Raises:
        GateRefused: the serving version stays.
        InvalidModel: a record is missing in Redis; the serving version stays.
        NotFound: when an earlier step has not run.
    """
    manifest = context.models.manifest(context.plan.tenant, context.folder.candidate())
    verdict = check_gate(manifest, context.serving_manifest(), context.plan.max_drop)
    context.say(f"gate {verdict}")
    publish_version(context, manifest)
    return manifest


def publish_version(context: Context, manifest: Manifest) -> None:
    """Publish a version of the model store, whatever its quality."""
    tenant, version = manifest.tenant, manifest.version
    before = context.published.current(tenant)
    publish_users(
        context.spark,
        context.settings.model_store.resolve(),
        context.settings.redis_url,
        tenant,
        version,
        manifest.data.users,
    )
    items = context.models.item_bytes(tenant, version)
    context.published.write_items(tenant, version, manifest.to_json(), items)
    context.published.activate(tenant, version)
    context.say(f"{manifest.data.users:,} users published; {version} serves now")
    # Answers under way may still read the version before; the ones before that are unused.
    context.published.retire(tenant, {version} if before is None else {version, before})
    for old in context.models.versions(tenant)[:-MODELS_KEPT]:
        if old not in (version, before):
            context.models.remove(tenant, old)
