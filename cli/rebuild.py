"""`recsys rebuild`: Redis again, from the model store and HBase."""

from typing import Annotated

import typer

from cli.output import say
from cli.tenant_option import Tenant
from spark_jobs.settings import BatchSettings, load


def rebuild_serving(
    version: Annotated[
        str | None, typer.Argument(help="A version. Default: the one that served last.")
    ] = None,
    tenant: Tenant = None,
) -> None:
    """Restore a Redis that has lost its data, from the model store and HBase.

    Afterwards recommendations are as before: from the same model, with all events since its
    training, and without unavailable items. Harmless while nothing is lost.

    Examples:

        recsys rebuild

        recsys rebuild 20261123T020000Z-1a2b3c4d
    """
    settings = load(BatchSettings)
    # Brings Spark along, for which `--help` need not wait.
    from spark_jobs.nightly.run import rebuild

    rebuild(settings, tenant or settings.tenant, version, say)
