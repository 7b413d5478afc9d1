"""The publish step: the candidate serves if the gate lets it."""

from recsys.stores.manifest import Manifest
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.gate import check_gate


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
    context.publisher.publish(manifest)
    return manifest
