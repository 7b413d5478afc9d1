"""`recsys tables`: the HBase tables of a tenant."""

from typing import Annotated

import typer

from cli.output import say
from cli.tenant_option import Tenant
from recsys.stores.hbase.admin import create_tables
from spark_jobs.settings import TenantSettings, load

app = typer.Typer(help="The HBase tables of a tenant.", no_args_is_help=True)


@app.callback()
def tables() -> None:
    """The HBase tables of a tenant."""


@app.command()
def create(
    admin: Annotated[
        str,
        typer.Option(
            envvar="HBASE_THRIFT_ADMIN",
            metavar="HOST:PORT",
            help="An HBase thrift2 server; only that kind can create tables.",
        ),
    ],
    tenant: Tenant = None,
) -> None:
    """Create the namespace and the tables of a tenant where they are missing.

    The interactions table is split in advance, one region per salt bucket. Running again changes
    nothing. Without a thrift2 server, run infra/hbase/create_tables.rb in the HBase shell.

    Example:

        recsys tables create --tenant demo --admin 127.0.0.1:9091
    """
    tenant = tenant or load(TenantSettings).tenant
    created = create_tables(admin, tenant)
    say(f"created {', '.join(created)}" if created else f"{tenant} has all its tables already")
