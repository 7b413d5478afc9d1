"""`recsys models`: what is in the model store and what serves."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cli.model_access import serving_version
from cli.output import AsJson, say, show, show_json
from cli.tenant_option import Tenant
from recsys.core.errors import InvalidModel, Unavailable
from recsys.stores.manifest import Manifest
from recsys.stores.model_files import ModelFiles
from spark_jobs.settings import BatchSettings, ModelAccessSettings, ModelStoreSettings, load

app = typer.Typer(no_args_is_help=True, help="List, inspect and serve model versions.")


@app.command("list")
def list_(tenant: Tenant = None, as_json: AsJson = False) -> None:
    """List the versions of the model store, newest last; * marks the one that serves."""
    settings = load(ModelAccessSettings)
    tenant = tenant or settings.tenant
    files = ModelFiles(settings.model_store)
    versions = files.versions(tenant)
    serving = _serving(settings, tenant, files, versions)
    found = []
    for version in versions:
        try:
            found.append(_summary(files.manifest(tenant, version)))
        except InvalidModel as error:
            say(str(error))
    if not versions and serving is None:
        say(files.no_model(tenant))
    if as_json:
        show_json({"tenant": tenant, "serving_version": serving, "versions": found})
        return
    rows = [["*" if each["version"] == serving else "", *_cells(each)] for each in found]
    show(["", "version", "users", "items", "events", "ndcg@20", "popularity", "device"], rows)


@app.command("show")
def show_(
    version: Annotated[str, typer.Argument(help="A version.")], tenant: Tenant = None
) -> None:
    """Print the manifest of a version as JSON."""
    settings = load(ModelStoreSettings)
    manifest = ModelFiles(settings.model_store).manifest(tenant or settings.tenant, version)
    print(manifest.to_json().decode())


@app.command("serve")
def serve(
    version: Annotated[str, typer.Argument(help="A version.")], tenant: Tenant = None
) -> None:
    """Serve a stored version without passing the gate, for instance to go back.

    Immediate for the version that served before, whose records are still in Redis; others are
    published again. `recsys nightly` does not bring back the version that serves now until the data
    or the settings have changed.

    Example: recsys models serve 20261123T020000Z-1a2b3c4d
    """
    # Brings Spark along, which a list of versions does without.
    from spark_jobs.nightly.run import serve_stored

    settings = load(BatchSettings)
    serve_stored(settings, tenant or settings.tenant, version, say)


@app.command("remove")
def remove(
    version: Annotated[str, typer.Argument(help="A version.")], tenant: Tenant = None
) -> None:
    """Remove a version from the model store for good; the one that serves cannot be removed.

    `recsys nightly` itself keeps the newest five, the one that serves and the one before it.

    Example: recsys models remove 20261123T020000Z-1a2b3c4d
    """
    from spark_jobs.nightly.run import remove_stored

    settings = load(BatchSettings)
    remove_stored(settings, tenant or settings.tenant, version, say)
    say(f"removed {version}")


def _serving(
    settings: ModelAccessSettings, tenant: str, files: ModelFiles, versions: Sequence[str]
) -> str | None:
    """The version that serves; None when there is none, or it is not known, and says which."""
    try:
        serving = serving_version(settings, tenant)
    except Unavailable as error:
        say(f"which version serves is not known: {error}")
        return None
    if serving and serving not in versions:
        say(
            f"{serving} serves and is not in {settings.model_store}: was it removed by hand, or is"
            " RECSYS_MODEL_STORE another folder? Nothing can be compared with it: a new version of"
            " `recsys nightly` serves after `recsys nightly publish --force`"
        )
    elif since := files.noted_since(tenant, serving):
        say(since)
    if serving or not versions:
        return serving
    if last := files.last_two(tenant)[:1]:
        say(f"none serves: Redis has lost its data, and recsys rebuild lets {last[0]} serve again")
    else:
        say("none has served yet: see recsys nightly publish, and recsys models serve")
    return None


def _summary(manifest: Manifest) -> dict[str, Any]:
    judged = manifest.evaluation
    metrics = (judged.model, judged.popularity) if judged else ({}, {})
    ndcg, popularity = (found.get("ndcg_at_20") for found in metrics)
    return {
        "version": manifest.version,
        "create_time": manifest.create_time(),
        "users": manifest.data.users,
        "items": manifest.data.items,
        "events": manifest.data.events,
        "ndcg_at_20": ndcg,
        "popularity_ndcg_at_20": popularity,
        "device": manifest.training.device,
    }


def _cells(summary: Mapping[str, Any]) -> list[str]:
    counts = (f"{summary[name]:,}" for name in ("users", "items", "events"))
    metrics = (summary[name] for name in ("ndcg_at_20", "popularity_ndcg_at_20"))
    scores = ("-" if each is None else f"{each:.4f}" for each in metrics)
    return [summary["version"], *counts, *scores, summary["device"]]
