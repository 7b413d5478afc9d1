"""Start or drain replicas of a service until as many run as somebody wants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.local.processes.supervision import ProcessInfo
from infra.local.replicas import Service

# Meant to run: in BACKOFF it failed to start, and will be tried again.
_RUNS = frozenset({"STARTING", "RUNNING", "BACKOFF"})


@dataclass(frozen=True, slots=True)
class Change:
    """The replicas to start and to stop, by name."""

    start: tuple[str, ...]
    stop: tuple[str, ...]

    def __str__(self) -> str:
        said = [("started", self.start), ("drained and stopped", self.stop)]
        done = [f"{what} {', '.join(names)}" for what, names in said if names]
        return "; ".join(done) or "nothing to do"


def running_replicas(service: Service, processes: Mapping[str, ProcessInfo]) -> list[str]:
    """The replicas that are meant to run, in the order of their numbers."""
    return [
        name for name in service.names() if name in processes and processes[name].state in _RUNS
    ]


def change_to(service: Service, count: int, running: Sequence[str]) -> Change:
    """Plan the change to `count` replicas: start the first idle ones, stop the last that run."""
    free = [name for name in service.names() if name not in running]
    return Change(tuple(free[: max(0, count - len(running))]), tuple(running[count:]))
