"""The publish step: the candidate serves if the gate lets it."""

from recsys.core.errors import GateRefused, InvalidModel, NotFound
from recsys.stores.manifest import GateEntry, Manifest
from spark_jobs.nightly.context import Context
from spark_jobs.nightly.gate import lost_catalogue, popular_kept, refusals, verdict


def publish_candidate(context: Context) -> Manifest:
    """Ask the gate, keep its verdict in the manifest, then publish.

    Raises:
        GateRefused: the serving version stays.
        LockLost: another run or an operator was faster; what serves now stays.
        InvalidModel: a record is missing in Redis; the serving version stays.
        NotFound: when an earlier step has not run.
    """
    tenant = context.plan.tenant
    manifest = context.models.manifest(tenant, context.folder.candidate())
    serving = context.serving_version()
    reasons = _refusals(context, manifest, serving)
    forced = bool(reasons) and context.plan.force
    entry = GateEntry(refusals=tuple(reasons), forced=forced)
    manifest = context.models.amend(manifest, gate=entry)
    if reasons and not forced:
        raise GateRefused(
            f"{manifest.version} is not published: {'; '.join(reasons)} (limits are set under"
            " [gate] in the shop's settings; `recsys nightly publish --force` overrides them)"
        )
    for reason in reasons:
        context.say(f"gate overridden by --force: {reason}")
    if not reasons:
        words = verdict(manifest, context.serving_manifest(), context.plan.shop.gate)
        context.say(f"gate passed: {words}")
    context.publisher.publish(manifest, replaces=serving)
    return manifest


def _refusals(context: Context, manifest: Manifest, serving: str | None) -> list[str]:
    limits = context.plan.shop.gate
    found: list[str] = []
    if context.models.is_withdrawn(manifest) and serving != manifest.version:
        found.append(
            f"an operator went back from it: `recsys models serve {manifest.version}` brings it"
            " back"
        )
    # A Redis that has lost its data must not disarm the gate.
    last = context.publisher.last_serving(manifest.tenant)
    if last is None or last == manifest.version:
        return found + refusals(manifest, None, None, limits)
    if serving is None:
        context.say(f"Redis has lost the version that serves: comparing with {last}, the last one")
    current = None
    try:
        current = context.models.manifest(manifest.tenant, last)
        old = context.models.items(manifest.tenant, last)
    except (NotFound, InvalidModel) as error:
        if current and current.data.fingerprint == manifest.data.fingerprint:
            # Made again because it is damaged: by the same data, so the metrics tell enough.
            return found + refusals(manifest, current, None, limits)
        found.append(f"the serving version {last} cannot be compared with: {error}")
        return found + refusals(manifest, None, None, limits)
    new = context.models.items(manifest.tenant, manifest.version)
    found.extend(lost_catalogue(old, new))
    return found + refusals(manifest, current, popular_kept(old, new), limits)
