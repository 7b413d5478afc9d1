"""One local stack for all tests of a session, apart from a running `make up`, gone at the end."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.local.errors import StackError
from infra.local.processes import leftovers, preflight
from infra.local.processes.status import is_healthy
from infra.local.settings import REPOSITORY, Settings
from infra.local.stack import Parts, Stack
from tests.eventually import eventually
from tests.stack_metrics import is_every_recommender_found

# Another name lets two sessions run in one checkout, each on ports of its own, and so do two
# workers of one session.
_WORKER = os.environ.get("PYTEST_XDIST_WORKER")
STACK_NAME = os.environ.get("RECSYS_TEST_STACK", "test") + (f"-{_WORKER}" if _WORKER else "")
_COMMAND_SECONDS = 240
# Of Java processes that live for some minutes: compiling less takes a third off their CPU time.
# What is compiled would have 48 MB then, which Spark fills in some hundred nights: then all
# is interpreted, and a thread that needs a place ends, with whoever waits for it waiting for ever.
QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m"
_RECOVERY_SECONDS = 120

Recsys = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def store_stack() -> Iterator[Stack]:
    """HBase and Redis with nothing in them, and the variables that lead Spark to its Java."""
    stack = Stack(Settings.load(STACK_NAME))
    with _only_session(stack), pytest.MonkeyPatch.context() as environment:
        stack.down()
        shutil.rmtree(stack.settings.home, ignore_errors=True)
        try:
            _start_stores(stack)
            for name in ("JAVA_HOME", "PYSPARK_PYTHON"):
                environment.setenv(name, stack.environment()[name])
            environment.setenv("SPARK_SUBMIT_OPTS", QUICK_JAVA)
            yield stack
        finally:
            stack.down()
        assert_nothing_is_left(stack)


def _start_stores(stack: Stack) -> None:
    try:
        with quick_java():
            stack.up(Parts.STORES)
    except StackError as error:
        # Said once, not by each of some hundred tests.
        hint = "RECSYS_TEST_STACK=NAME moves the tests to ports of another stack"
        pytest.exit(f"the test stack did not start: {error}\n({hint})", 1)


@pytest.fixture(scope="session")
def stack(store_stack: Stack) -> Stack:
    """The stack with all its parts."""
    store_stack.up()
    return store_stack


@pytest.fixture
def healed_stack(stack: Stack) -> Iterator[Stack]:
    """The stack, for a test that breaks it: the next one finds it whole again."""
    yield stack
    await_health(stack)


@pytest.fixture(scope="session")
def recsys(store_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Recsys:
    """Runs the `recsys` command line as an operator of the stack would."""
    folder = tmp_path_factory.mktemp("recsys")

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            recsys_command(*arguments),
            env=job_environment(store_stack, environment),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )

    return run


def recsys_command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("recsys")), *arguments]


def job_environment(stack: Stack, changes: Mapping[str, str]) -> dict[str, str]:
    """Of a job on the stack, on no more memory than the tests' small data need."""
    small = {"RECSYS_SPARK_MEMORY": "512m", "RECSYS_SPARK_MASTER": "local[2]", "COLUMNS": "200"}
    return os.environ | stack.environment() | small | changes


def await_health(stack: Stack) -> None:
    """Wait until everything that was started does its work, and gateways know of it."""
    eventually(lambda: is_healthy(stack.status()), within_seconds=_RECOVERY_SECONDS)
    eventually(lambda: is_every_recommender_found(stack), within_seconds=_RECOVERY_SECONDS)


def assert_nothing_is_left(stack: Stack) -> None:
    """No process and no port of the stack."""
    assert leftovers.find(stack.settings) == []
    assert [port for _, port in stack.settings.ports.items() if not preflight.is_free(port)] == []


@contextmanager
def quick_java() -> Iterator[None]:
    """Let Java servers that are started in the block, and again later, begin sooner."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JAVA_TOOL_OPTIONS", QUICK_JAVA)
        yield


@contextmanager
def _only_session(stack: Stack) -> Iterator[None]:
    """Hold the stack's name, so that two sessions do not delete each other's data."""
    path = REPOSITORY / ".local" / f"{stack.settings.name}.session"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.exit("another test session of this checkout runs: wait for it to end", 1)
        yield
