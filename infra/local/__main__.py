"""`python -m infra.local`: the embedded local stack at the command line."""

import os
import shlex
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.output import AsJson, show_json
from infra.local.errors import StackError
from infra.local.ports import DEFAULT_STACK
from infra.local.processes.logs import tail
from infra.local.processes.progress import Reporter
from infra.local.processes.status import as_entries, as_table, is_healthy, problems
from infra.local.processes.supervision import log_file
from infra.local.replicas import Service
from infra.local.scaling import autoscaler
from infra.local.scaling.policy import POLICIES
from infra.local.servers.environment import command_path
from infra.local.settings import REPOSITORY, Settings
from infra.local.stack import Parts, Stack
from recsys.core.errors import RecsysError
from recsys.files import file_problem
from recsys.runtime.standard_output import output_has_left, prepare_streams

_FAILED = 1
# As shells exit.
_NO_SUCH_COMMAND = 127
_KILLED = 128

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Lines of a paragraph are joined and broken anew for the width of the terminal.
    rich_markup_mode="markdown",
    help="""The whole system on this machine: HBase, Redis, the services and a load balancer, as
    real servers which need neither root nor a package manager.

    Own servers are used when named: JAVA_HOME (17 to 21), REDIS_URL, HBASE_THRIFT=HOST:PORT (with
    HBASE_THRIFT_ADMIN, a thrift2 server, if tables must be created, and HBASE_THRIFT2, another, for
    nights that read only what is new), HAPROXY_BIN. Ports move by
    RECSYS_HTTP_PORT, RECSYS_HTTPS_PORT and so on; the message about a taken port names the
    variable.""",
)

Name = Annotated[
    str, typer.Option(help="Which stack: each has a folder under .local/ and ports of its own.")
]


@app.command()
def up(
    name: Name = DEFAULT_STACK,
    only: Annotated[Parts, typer.Option(help="How much to start.")] = Parts.ALL,
) -> None:
    """Start the stack and wait until all of it works. Harmless when it runs already."""
    Stack(Settings.load(name), Reporter()).up(only)


@app.command()
def down(
    name: Name = DEFAULT_STACK,
    every: Annotated[bool, typer.Option("--all", help="All stacks of this checkout.")] = False,
) -> None:
    """Stop the stack. Its data stays: the next `up` goes on with it."""
    for stack in _all_names() if every else [name]:
        Stack(Settings.load(stack), Reporter()).down()


@app.command()
def status(name: Name = DEFAULT_STACK, as_json: AsJson = False) -> None:
    """Show every process: state, memory, address, health. Exits 0 only if all is well."""
    rows = Stack(Settings.load(name)).status()
    if as_json:
        show_json({"stack": name, "is_healthy": is_healthy(rows), "processes": as_entries(rows)})
    else:
        Console().print(as_table(rows))
        for problem in problems(rows):
            print(problem)
    raise typer.Exit(0 if is_healthy(rows) else 1)


@app.command()
def scale(
    service: Annotated[Service, typer.Argument(help="Which service.")],
    replicas: Annotated[int, typer.Argument(help="How many of it.")],
    name: Name = DEFAULT_STACK,
) -> None:
    """Have that many replicas of a service: new ones are awaited, others finish and end."""
    change = Stack(Settings.load(name), Reporter()).scale(service, replicas)
    print(f"{service}: {change}")


@app.command()
def autoscale(
    services: Annotated[
        list[Service] | None, typer.Argument(help="Which services; all where none is named.")
    ] = None,
    name: Name = DEFAULT_STACK,
    every_seconds: Annotated[float, typer.Option("--every", help="Seconds between looks.")] = 5.0,
    least: Annotated[int | None, typer.Option(help="Replicas at any time.", min=1)] = None,
    most: Annotated[int | None, typer.Option(help="Replicas at the highest load.", min=1)] = None,
    target: Annotated[
        float | None,
        typer.Option(help="Share of a core each should be busy on average.", min=0.001),
    ] = None,
    shrink_after: Annotated[
        float | None, typer.Option(help="Seconds for which fewer must have been enough.")
    ] = None,
) -> None:
    """Start and drain replicas as the load changes, until interrupted or the stack goes down.

    Kubernetes' rules for its HPA, and the bounds of infra/k8s where none are given.
    """
    given = {"least": least, "most": most, "target": target, "shrink_after_seconds": shrink_after}
    changes: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    policies = {
        service: replace(POLICIES[service], **changes) for service in services or list(Service)
    }
    autoscaler.run(Stack(Settings.load(name)), policies, every_seconds)


@app.command()
def env(
    name: Name = DEFAULT_STACK,
    as_json: AsJson = False,
) -> None:
    """Print the variables that lead to the stack: `eval "$(python -m infra.local env)"`.

    Their PATH begins with what is installed beside this Python, such as `recsys`.
    """
    variables = _variables(Stack(Settings.load(name)))
    if as_json:
        show_json(variables)
    else:
        print("\n".join(f"export {key}={shlex.quote(value)}" for key, value in variables.items()))


@app.command(context_settings={"ignore_unknown_options": True})
def run(
    command: Annotated[list[str], typer.Argument(help="The command and its arguments.")],
    name: Name = DEFAULT_STACK,
    admin: Annotated[
        bool, typer.Option(help="Give it a thrift2 server too (HBASE_THRIFT_ADMIN).")
    ] = False,
) -> None:
    """Run a command with the variables of `env`: `run --admin -- recsys tables create ...`.

    What is installed beside this Python, such as `recsys`, is found first.
    """
    stack = Stack(Settings.load(name))
    variables = os.environ | _variables(stack)
    program = shutil.which(command[0], path=variables["PATH"])
    if program is None:
        print(f"there is no command {command[0]!r} on the PATH", file=sys.stderr)
        raise typer.Exit(_NO_SUCH_COMMAND)
    with stack.admin() if admin else nullcontext() as address:
        if address:
            variables["HBASE_THRIFT_ADMIN"] = address
        code = subprocess.run([program, *command[1:]], env=variables, check=False).returncode
    # Of a command ended by a signal, what a shell says.
    raise typer.Exit(code if code >= 0 else _KILLED - code)


def _variables(stack: Stack) -> dict[str, str]:
    return stack.environment() | {"PATH": command_path(os.environ)}


@app.command()
def fetch() -> None:
    """Fetch HBase's jars into the cache, if they are not there."""
    print(Stack(Settings.load(), Reporter()).fetch())


@app.command()
def logs(
    process: Annotated[str, typer.Argument(help="As `status` names it, or supervisord.")],
    name: Name = DEFAULT_STACK,
    lines: Annotated[int, typer.Option("-n", help="How many of the last lines.", min=1)] = 50,
) -> None:
    """Print the end of a process's log."""
    path = log_file(Settings.load(name), process)
    if not path.exists():
        raise StackError(f"{process!r} has no log in {path.parent}: see `status` for the names")
    print(tail(path, lines))


@app.command()
def demo() -> None:
    """Start everything, load a real shop's history, train, and show recommendations."""
    # Brings along what the other commands do not need.
    from infra.local.demo import run_demo

    run_demo(Stack(Settings.load(), Reporter()))


def _all_names() -> list[str]:
    return sorted(path.stem for path in (REPOSITORY / ".local").glob("*.lock"))


def main() -> None:
    prepare_streams()
    code = _run()
    sys.exit(code if output_has_left() else code or _FAILED)


def _run() -> int:
    try:
        app()
    except SystemExit as ended:
        return int(ended.code or 0)
    except (StackError, RecsysError) as error:
        problem: str | None = str(error)
    except OSError as error:
        if (problem := file_problem(error)) is None:
            raise
    print(f"\n{problem}", file=sys.stderr)
    return _FAILED


if __name__ == "__main__":
    main()
