"""`recsys shops`: the settings of shops."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import say
from recsys.auth.key_file import load_keys
from recsys.config.shops import read_shop_file, shop_files
from recsys.core.errors import ConfigurationError, InvalidSettings

app = typer.Typer(help="Check the settings of shops.", no_args_is_help=True)

# As of any other input that is wrong.
_INVALID = 2


@app.callback()
def shops() -> None:
    """Be a group, even of one command."""


@app.command()
def check(
    folder: Annotated[
        Path,
        typer.Argument(envvar="RECSYS_SHOP_CONFIG", help="The folder that has TENANT.toml files."),
    ],
    keys: Annotated[
        Path | None,
        typer.Option(envvar="RECSYS_API_KEYS", help="The file of hashed keys: a shop needs one."),
    ] = None,
) -> None:
    """Check the settings of all shops: every fault of every file, and exit code 2 if there is one.

    Running services take a changed file within two seconds; one that has faults they leave alone.
    """
    paths = shop_files(folder)
    with_key = {key.tenant for key in load_keys(keys)} if keys else None
    faults = [fault for path in paths for fault in _faults(path)]
    for fault in faults:
        say(f"error: {fault}")
    for path in paths:
        if with_key is not None and path.stem not in with_key:
            say(f"warning: {path}: {path.stem} has no API key, so no storefront is served")
    if faults:
        raise typer.Exit(_INVALID)
    say(f"{len(paths)} shops have sound settings; any other has the shipped ones")


def _faults(path: Path) -> list[str]:
    try:
        read_shop_file(path)
    except InvalidSettings as error:
        return [f"{path}: {problem}" for problem in error.problems]
    except ConfigurationError as error:
        return [str(error)]
    return []
