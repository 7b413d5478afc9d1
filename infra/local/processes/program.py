"""One supervised process of the stack, described."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

# Returns when the program does its work; raises (anything) when it does not, within a few seconds.
Probe: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Program:
    """One process to run: its command, health check and way to stop.

    Attributes:
        tier: programs of a higher tier are stopped before those of a lower one.
        ports: names of the ports (fields of `Ports`) it listens on, the main one first.
        stable_seconds: alive for less than this, it counts as failed to start and is retried with
            growing pauses; after it, a death means an immediate restart.
        ready_seconds: how long `up` waits until `probe` passes: some seconds do on an idle machine,
            but the first recommender compiles, and two stacks may start on two busy cores.
    """

    name: str
    tier: str
    command: tuple[str, ...]
    ports: tuple[str, ...]
    probe: Probe
    environment: Mapping[str, str] = field(default_factory=dict)
    stable_seconds: int = 3
    ready_seconds: int = 180
    stop_signal: str = "TERM"
    stop_seconds: int = 15


# Started in this order, stopped in the opposite one.
TIERS = ("stores", "services", "gateways", "edge")


def python_module(module: str) -> tuple[str, ...]:
    """The command that runs `module` on the interpreter of this process."""
    return (sys.executable, "-m", module)
