"""Users with a number each, best first: a file, or JSON for a script."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import check_output, show_json
from recsys.core.errors import ConfigurationError
from recsys.core.model import TrainedModel
from recsys.core.ranking import Indices
from recsys.core.scoring import Scores
from recsys.files import write_whole

OutputFile = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="CSV file to write: user_id and its score, or similarity."),
]


def check_destination(output: Path | None, *, as_json: bool) -> None:
    """Say before the work that its result would go nowhere.

    Raises:
        ConfigurationError: there is neither a file nor --json, or it cannot be written.
    """
    if output is None and not as_json:
        raise ConfigurationError("give --output FILE for a CSV file, or --json for standard output")
    if output is not None:
        check_output(output)


def write_users(
    output: Path, model: TrainedModel, users: Indices, numbers: Scores, column: str
) -> None:
    """Write the users' ids, and their numbers in a column of this name, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["user_id", column])
    for user, number in zip(users.tolist(), numbers.tolist(), strict=True):
        writer.writerow([model.users.ids.id_of(user), f"{number:.6g}"])
    write_whole(output, text.getvalue())


def show_users(
    asked: Mapping[str, Any], model: TrainedModel, users: Indices, numbers: Scores, column: str
) -> None:
    """Print the same as JSON, after what was asked."""
    found = [
        {"user_id": model.users.ids.id_of(user), column: number}
        for user, number in zip(users.tolist(), numbers.tolist(), strict=True)
    ]
    show_json({**asked, "users": found})
