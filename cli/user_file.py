"""A file of users with a number each, best first."""

import csv
import io
from pathlib import Path

from recsys.core.model import TrainedModel
from recsys.core.ranking import Indices
from recsys.core.scoring import Scores
from recsys.files import write_whole


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
