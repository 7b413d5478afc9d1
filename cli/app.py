"""The commands, each loaded when it is called, and how their errors end.

`recsys keys` runs where neither Spark nor the training libraries are installed: a module of a
command is imported when that command is called, and the overview needs none of them.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from types import FrameType
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from cli.output import say
from recsys.core.errors import ConfigurationError, GateRefused, RecsysError
from recsys.files import file_problem
from recsys.runtime.standard_output import output_has_left, prepare_streams

# A module of these that is missing is a fault of ours, no extra that was not installed.
_OURS = ("cli", "recsys", "services", "spark_jobs")
# Lines of a paragraph are joined and broken anew for the terminal's width.
_MARKUP: Final = "markdown"
FAILED = 1
WRONG_SETTINGS = 2
GATE_REFUSED = 3
# As shells say it, with the number of the signal.
SIGNALLED = 128
INTERRUPTED = SIGNALLED + signal.SIGINT

# Where each command or group is, and its line in the overview.
COMMANDS = {
    "tables": ("cli.tables:app", "The HBase tables of a tenant."),
    "import": (
        "cli.import_files:app",
        "Import events and items from CSV, JSON, Parquet and XML files.",
    ),
    "nightly": (
        "cli.nightly:nightly",
        "Read behaviour, train, evaluate and publish a new model version.",
    ),
    "rebuild": (
        "cli.rebuild:rebuild_serving",
        "Restore a Redis that has lost its data, from the model store and HBase.",
    ),
    "tune": (
        "cli.tune:tune_settings",
        "Search for model settings on the events that the last `recsys nightly` read.",
    ),
    "evaluate": (
        "cli.evaluate:evaluate",
        "Train on some events, evaluate on others, compare with baselines; or split events.",
    ),
    "recommend": (
        "cli.recommend:recommend",
        "Show what a model version recommends to a user, best first.",
    ),
    "similar": (
        "cli.recommend:similar",
        "Show the items most similar to an item in a model version.",
    ),
    "users-for-item": (
        "cli.users_for_item:export_users",
        "Write the users whom an item suits best to a file, best first.",
    ),
    "similar-users": (
        "cli.similar_users:export_similar_users",
        "Write the users whose taste is most similar to that of one to a file, best first.",
    ),
    "report": (
        "cli.report:report",
        "Report clicks, baskets, orders and revenue by placement and variant, from HBase.",
    ),
    "models": ("cli.models:app", "List, inspect and serve model versions."),
    "shops": ("cli.shops:app", "Check the settings of shops, and show what held when."),
    "keys": (
        "cli.keys:app",
        "Create, list and revoke API keys. Running gateways follow the file.",
    ),
}


class LazyCommand(TyperCommand):
    """Stand in for a command in the overview; load the real one to run it."""

    def __init__(self, name: str, place: str, line: str) -> None:
        super().__init__(name, help=line)
        self._called, self._place = name, place

    def load(self) -> Any:
        module, _, name = self._place.partition(":")
        found = getattr(import_module(module), name)
        parent = typer.Typer(rich_markup_mode=_MARKUP)
        if isinstance(found, typer.Typer):
            found.rich_markup_mode = _MARKUP
            parent.add_typer(found, name=self._called)
        else:
            parent.command(self._called)(found)
        return typer.main.get_group(parent).commands[self._called]

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        return self.load().make_context(info_name, args, parent=parent, **extra)


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        lazy = {
            name: LazyCommand(name, *place_and_line) for name, place_and_line in COMMANDS.items()
        }
        super().__init__(**(attributes | {"commands": lazy}))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Not with 130, as Typer would: so ends who has said what stopped it.
            raise SystemExit(FAILED) from None


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Operate the recommender: import data, train, publish and inspect models.",
    epilog=(
        "HBASE_THRIFT, REDIS_URL and RECSYS_MODEL_STORE name the stores; in a checkout,"
        ' eval "$(.venv/bin/python -m infra.local env)" sets them for the local stack.'
        " Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 refused by the quality gate,"
        " 4 too many rows of a file rejected."
    ),
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        print(f"recsys {version('recsys')}")
        raise typer.Exit


@app.callback()
def recsys(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the release and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    """Be a group of commands, even while none is loaded."""


def main() -> None:
    """Entry point of `recsys`: an error raised on purpose is one line, not a traceback."""
    prepare_streams()
    with _ended_in_order() as received:
        code = _run()
    if received:
        # An import has said how far it came, and what to do.
        if code != INTERRUPTED:
            say(f"stopped by {received[0].name}: running it again is safe")
        code = SIGNALLED + received[0]
    sys.exit(code if output_has_left() else code or FAILED)


@contextmanager
def _ended_in_order() -> Iterator[list[signal.Signals]]:
    """Let a command end in order by the signals of a service manager or a closed terminal, too.

    They interrupt it as Ctrl-C does, which is one of them: a nightly run gives its lock back, and
    the next one need not wait until that has expired. The list is of those that came.
    """
    received: list[signal.Signals] = []

    def interrupt(number: int, _frame: FrameType | None) -> NoReturn:
        received.append(signal.Signals(number))
        raise KeyboardInterrupt

    # `nohup` has a signal ignored, and that stands.
    handled = {
        number: before
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if (before := signal.getsignal(number)) in (signal.SIG_DFL, signal.default_int_handler)
    }
    for number in handled:
        signal.signal(number, interrupt)
    try:
        yield received
    finally:
        for number, before in handled.items():
            signal.signal(number, before)


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
        return WRONG_SETTINGS if isinstance(error, ConfigurationError) else FAILED
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in _OURS:
            raise
        say(f"error: this command needs {error.name}: pip install 'recsys[train]'")
        return FAILED
    except OSError as error:
        if (problem := file_problem(error)) is None:
            raise
        say(f"error: {problem}")
        return FAILED
    return 0
