"""`recsys shops`: the settings of shops."""

import itertools
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import AsJson, say, show_json
from cli.shop_log import HeldSettings, history
from cli.tenant_option import OneTenant
from cli.variable_path import path_of_variable
from recsys.auth.key_file import load_keys
from recsys.config.shops import read_shop_file, shop_files
from recsys.core.errors import ConfigurationError, InvalidSettings, NotFound
from recsys.core.wording import pluralize

app = typer.Typer(
    help="Check the settings of shops, and show what held when.", no_args_is_help=True
)

# As of any other input that is wrong.
_INVALID = 2


@app.command()
def check(
    folder: Annotated[
        Path,
        typer.Argument(
            envvar="RECSYS_SHOP_CONFIG",
            callback=path_of_variable,
            help="The folder that has TENANT.toml files.",
        ),
    ],
    keys: Annotated[
        Path | None,
        typer.Option(
            envvar="RECSYS_API_KEYS",
            callback=path_of_variable,
            help="The file of hashed keys: a shop needs one.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the settings of all shops: every fault of every file, and exit code 2 if there is one.

    Running services take a changed file within two seconds; one that has faults they leave alone.
    """
    paths = shop_files(folder)
    with_key = {key.tenant for key in load_keys(keys)} if keys else None
    checked: list[dict[str, Any]] = [
        {
            "tenant": path.stem,
            "file": str(path),
            "faults": _faults(path),
            "has_key": None if with_key is None else path.stem in with_key,
        }
        for path in paths
    ]
    if as_json:
        show_json({"shops": checked})
    faults = [fault for each in checked for fault in each["faults"]]
    for fault in faults:
        say(f"error: {fault}")
    for each in checked:
        if each["has_key"] is False:
            who = f"{each['file']}: {each['tenant']}"
            say(f"warning: {who} has no API key, so no storefront is served")
    if faults:
        raise typer.Exit(_INVALID)
    shops = pluralize(len(paths), "shop has", "shops have")
    say(f"{shops} sound settings; any other has the shipped ones")


@app.command()
def log(
    files: Annotated[
        list[typer.FileText],
        typer.Argument(
            help="Logs of services, as JSON lines; - for standard input.",
            encoding="utf-8",
            # A line that a full disk or a crash has damaged is none of ours; others are.
            errors="replace",
        ),
    ],
    tenant: OneTenant = None,
    as_json: AsJson = False,
) -> None:
    """Show which settings held since when, from the logs of services.

    For each file of a shop: when the first process took it, its digest, whose file it was and when
    it was written, what changed; below it the rules and experiments that went (-) and came (+), and
    which processes took it. Who edited a file no file says: keep the folder under version control,
    and find the version by its digest, the beginning of what sha256sum prints.

    Example: cat gateway*.log | recsys shops log -
    """
    found = history(itertools.chain.from_iterable(files), tenant)
    if not found:
        raise NotFound("these logs tell of no shop with a file of settings")
    if as_json:
        show_json({"settings": [_entry(each) for each in found]})
        return
    for each in found:
        print(
            f"{each.since}  {each.tenant}  {each.digest}  of {each.owner}, written {each.written}:"
            f" {each.what}"
        )
        for detail in each.details:
            print(f"    {detail}")
        print(f"    taken by {', '.join(sorted(each.processes))}")


def _entry(held: HeldSettings) -> dict[str, Any]:
    return {
        "tenant": held.tenant,
        "since_time": datetime.fromisoformat(held.since),
        "digest": held.digest,
        "owner": held.owner,
        "write_time": datetime.fromisoformat(held.written),
        # None: not known, for processes began with it.
        "changed": held.changed,
        "details": held.details,
        "processes": sorted(held.processes),
    }


def _faults(path: Path) -> list[str]:
    try:
        read_shop_file(path)
    except InvalidSettings as error:
        return [f"{path}: {problem}" for problem in error.problems]
    except ConfigurationError as error:
        return [str(error)]
    return []
