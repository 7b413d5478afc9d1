"""Wait until programs do their work, with a bound, and say why not when they do not."""

import time
from collections.abc import Callable, Sequence

from infra.local.errors import StartError
from infra.local.processes.logs import tail
from infra.local.processes.program import Program
from infra.local.processes.progress import Reporter
from infra.local.processes.supervision import Supervisor, log_file
from infra.local.settings import Settings

_POLL_SECONDS = 0.1
# A process that still dies at once after this long will go on doing so.
_CRASH_LOOP_SECONDS = 8


def await_ready(
    settings: Settings, supervisor: Supervisor, programs: Sequence[Program], reporter: Reporter
) -> None:
    """Return when every probe has passed.

    Raises StartError, with the end of its log, for one that died or was not ready in time.
    """
    started = time.monotonic()
    pending = list(programs)
    while pending:
        with reporter.waiting([program.name for program in pending]):
            ready = _next_ready(settings, supervisor, pending, started)
        reporter.done(ready.name, time.monotonic() - started)
        pending.remove(ready)


def reason_unready(probe: Callable[[], None]) -> str | None:
    """Why `probe` fails, in one line; None if it passes."""
    try:
        probe()
    except Exception as error:  # a probe fails in as many ways as there are servers
        lines = str(error).strip().splitlines()
        return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"
    return None


def _next_ready(
    settings: Settings, supervisor: Supervisor, pending: Sequence[Program], started: float
) -> Program:
    while True:
        waited = time.monotonic() - started
        for program in pending:
            reason = reason_unready(program.probe)
            if reason is None:
                return program
            _give_up_on_death(settings, supervisor, program, waited)
            if waited > program.ready_seconds:
                raise _not_started(settings, program, f"not ready after {waited:.0f} s ({reason})")
        time.sleep(_POLL_SECONDS)


def _give_up_on_death(
    settings: Settings, supervisor: Supervisor, program: Program, waited: float
) -> None:
    info = supervisor.processes().get(program.name)
    if info is None:
        raise _not_started(settings, program, "supervisord ended")
    dying = info.state == "BACKOFF" and waited > _CRASH_LOOP_SECONDS
    if info.state == "FATAL" or dying:
        raise _not_started(settings, program, f"it ends at once ({info.description})")


def _not_started(settings: Settings, program: Program, problem: str) -> StartError:
    log = log_file(settings, program.name)
    return StartError(f"{program.name}: {problem}\nend of {log}:\n{tail(log)}")
