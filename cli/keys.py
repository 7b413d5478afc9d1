"""`recsys keys`: make, list and revoke the API keys of the gateways."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.tenant_option import RequiredTenant
from recsys.auth.api_keys import SCOPE_NAMES, scopes_named
from recsys.auth.key_file import create_key, load_keys, revoke_key

app = typer.Typer(
    help="Create, list and revoke API keys. Running gateways follow the file.",
    no_args_is_help=True,
)

KeysFile = Annotated[
    Path,
    typer.Option(
        "--file", envvar="RECSYS_API_KEYS", help="The file of hashed keys.", dir_okay=False
    ),
]


def _check_scopes(names: list[str]) -> list[str]:
    if unknown := [name for name in names if name not in SCOPE_NAMES]:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of: {', '.join(SCOPE_NAMES)}")
    return names


@app.command()
def create(
    file: KeysFile,
    tenant: RequiredTenant,
    scope: Annotated[
        list[str],
        typer.Option(
            callback=_check_scopes,
            metavar="|".join(SCOPE_NAMES),
            help="Permission of the key; repeat for several. ingest is events:write and "
            "catalogue:write.",
        ),
    ],
    expires: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            help="When the key becomes worthless, UTC. Without it: when it is revoked.",
        ),
    ] = None,
) -> None:
    """Create a key and print it. It cannot be shown again.

    To rotate: create a second key, move the callers over, then revoke the first.
    """
    ends = None if expires is None else expires.replace(tzinfo=UTC)
    typer.echo(create_key(file, tenant, scopes_named(scope), ends))
    typer.echo("Store it now: only its hash is kept.", err=True)


@app.command("list")
def list_keys(file: KeysFile) -> None:
    """List keys, without their secrets."""
    for key in load_keys(file):
        scopes = ",".join(sorted(key.scopes))
        expires = f"  expires {key.expires.isoformat()}" if key.expires else ""
        typer.echo(f"{key.key_id}  {key.tenant}  {scopes}  {key.created.isoformat()}{expires}")


@app.command()
def revoke(
    file: KeysFile,
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `recsys keys list` shows it.")],
) -> None:
    """Revoke a key. Running gateways refuse it within two seconds."""
    revoke_key(file, key_id)
    typer.echo(f"revoked {key_id}")
