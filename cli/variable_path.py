"""Paths of options that variables may give, which no shell has seen then."""

from pathlib import Path

import typer

from recsys.config.settings import setting_path


def meant(path: Path | None) -> Path | None:
    """Take a path as services take that of the same variable. Raises BadParameter."""
    try:
        return None if path is None else setting_path(Path(str(path).strip()))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
