"""The commands, and how their errors end."""

import sys

import typer

from recsys.core.errors import GateRefused, RecsysError
from recsys.files import file_problem
from recsys.runtime.standard_output import output_has_left
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
    code = _run()
    sys.exit(code if output_has_left() else code or FAILED)


def _run() -> int:
    try:
        app()
    except SystemExit as ended:
        return int(ended.code or 0)
    except GateRefused as error:
        say(f"refused: {error}")
        return GATE_REFUSED
    except RecsysError as error:
        say(f"error: {error}")
        return FAILED
    except OSError as error:
        if (problem := file_problem(error)) is None:
            raise
        say(f"error: {problem}")
        return FAILED
    return 0
