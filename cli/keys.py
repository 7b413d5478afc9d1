"""`recsys keys`: make, list and revoke the API keys of the gateways."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import AsJson, show_json
from cli.tenant_option import RequiredTenant
from cli.variable_path import path_of_variable
from recsys.auth.api_keys import SCOPE_NAMES, ApiKey, scopes_named
from recsys.auth.key_file import create_key, create_public_key, load_keys, revoke_key
from recsys.auth.session_tokens import sign_session
from recsys.config.shop import MAX_RATE
from recsys.core.domain import identifier_problem
from recsys.core.errors import FieldProblem, InvalidInput, NotFound

app = typer.Typer(
    help="Create, list and revoke API keys. Running gateways follow the file.",
    no_args_is_help=True,
)

KeysFile = Annotated[
    Path,
    typer.Option(
        "--file",
        envvar="RECSYS_API_KEYS",
        callback=path_of_variable,
        help="The file of hashed keys.",
        dir_okay=False,
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
    requests_per_second: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=MAX_RATE, help="Rate limit, instead of that of the shop's settings."
        ),
    ] = None,
    public: Annotated[
        bool,
        typer.Option(
            "--public",
            help="A key for pages. It allows nothing without a session token, which the shop's "
            "server signs with the secret that is printed second.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it. It cannot be shown again.

    To rotate: create a second key, move the callers over, then revoke the first.
    """
    ends = None if expires is None else expires.replace(tzinfo=UTC)
    of_key = file, tenant, scopes_named(scope), ends, requests_per_second
    text, session_secret = create_public_key(*of_key) if public else (create_key(*of_key), None)
    if as_json:
        show_json({"key": text, "session_secret": session_secret})
    elif session_secret is not None:
        typer.echo(f"{text}\n{session_secret}")
        typer.echo("First the key, for pages; then its session secret, for your server.", err=True)
    else:
        typer.echo(text)
    typer.echo("Store it now: only its hash is kept.", err=True)


@app.command("list")
def list_keys(file: KeysFile, as_json: AsJson = False) -> None:
    """List keys, without their secrets."""
    keys = load_keys(file)
    if as_json:
        show_json({"keys": [_entry(key) for key in keys]})
        return
    for key in keys:
        scopes = ",".join(sorted(key.scopes))
        rest = "  public" if key.is_public else ""
        rest += f"  expires {key.expires.isoformat()}" if key.expires else ""
        typer.echo(f"{key.key_id}  {key.tenant}  {scopes}  {key.created.isoformat()}{rest}")


def _entry(key: ApiKey) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "tenant": key.tenant,
        "scopes": sorted(key.scopes),
        "is_public": key.is_public,
        "create_time": key.created,
        "expire_time": key.expires,
        "requests_per_second": key.requests_per_second,
    }


@app.command()
def revoke(
    file: KeysFile,
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `recsys keys list` shows it.")],
) -> None:
    """Revoke a key. Running gateways refuse it within two seconds."""
    revoke_key(file, key_id)
    typer.echo(f"revoked {key_id}")


@app.command()
def session(
    file: KeysFile,
    key_id: Annotated[str, typer.Argument(help="Id of a public key.")],
    user_id: Annotated[str, typer.Argument(help="The user whom the token is for.")],
    minutes: Annotated[
        int, typer.Option(min=1, max=24 * 60, help="How long the token is valid.")
    ] = 60,
) -> None:
    """Sign a session token, to try a public key with. A shop's server signs its own."""
    secret = next((key.session_secret for key in load_keys(file) if key.key_id == key_id), None)
    if secret is None:
        raise NotFound(f"there is no public key {key_id} in {file}")
    if reason := identifier_problem(user_id):
        raise InvalidInput([FieldProblem("user_id", reason)])
    typer.echo(sign_session(secret, user_id, time.time() + 60 * minutes))
