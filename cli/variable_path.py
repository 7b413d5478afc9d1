"""Paths that a variable may give instead of an option."""

from pathlib import Path

import typer

from recsys.config.settings import expand_home


def path_of_variable(path: Path | None) -> Path | None:
    """Read a path as services read that of the same variable. Raises BadParameter."""
    try:
        return None if path is None else expand_home(Path(str(path).strip()))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
