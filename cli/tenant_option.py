"""`--tenant`, as every command takes it."""

from typing import Annotated

import typer

from recsys.core.domain import tenant_problem


def _checked(tenant: str | None) -> str | None:
    if tenant is not None and (reason := tenant_problem(tenant)):
        raise typer.BadParameter(reason)
    return tenant


Tenant = Annotated[
    str | None, typer.Option(help="The shop. Default: $RECSYS_TENANT.", callback=_checked)
]
OneTenant = Annotated[
    str | None, typer.Option("--tenant", help="One shop alone. Default: all.", callback=_checked)
]
RequiredTenant = Annotated[
    str, typer.Option("--tenant", help="The shop this is for.", callback=_checked)
]
