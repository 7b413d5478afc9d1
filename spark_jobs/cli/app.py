"""The commands, and how their errors end."""

import sys

import typer

from recsys.core.errors import GateRefused, RecsysError
from spark_jobs.cli import (
    answer_commands,
    evaluate_command,
    import_command,
    keys_command,
    nightly_command,
    rebuild_command,
    tables_command,
    tune_command,
)
from spark_jobs.cli.models_command import models
from spark_jobs.cli.output import say

FAILED = 1
GATE_REFUSED = 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Operate the recommender: bring data in, train and publish models, look into them.",
    epilog=(
        "Stores are found by HBASE_THRIFT, REDIS_URL and RECSYS_MODEL_STORE; in a checkout,"
        ' eval "$(.venv/bin/python -m infra.local env)" sets them for the local stack.'
        " Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by the quality gate."
    ),
)
app.add_typer(tables_command.app, name="tables")
app.add_typer(import_command.app, name="import")
app.command("nightly")(nightly_command.nightly)
app.command("rebuild")(rebuild_command.rebuild_serving)
app.command("tune")(tune_command.tune_settings)
app.command("evaluate")(evaluate_command.evaluate)
app.command("recommend")(answer_commands.recommend)
app.command("similar")(answer_commands.similar)
app.add_typer(models, name="models")
app.add_typer(keys_command.app, name="keys")


def main() -> None:
    """Entry point of `recsys`: an error raised on purpose is one line, not a traceback."""
    try:
        app()
    except GateRefused as error:
        say(f"refused: {error}")
        sys.exit(GATE_REFUSED)
    except RecsysError as error:
        say(f"error: {error}")
        sys.exit(FAILED)
