"""A command as an operator runs it, watched from outside: how long each of its steps took, what CPU
and memory of which processes, and how long it said nothing.
"""

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

import psutil

from benchmarks.peers.measure import process_tree

DRIVER, WORKERS, JVM = "driver", "workers", "JVM"
_LOOK_SECONDS = 1.0
_STEP = re.compile(r"\[(\w+)\]")


@dataclass
class StepFigures:
    """What one step took, by kind of process; of what comes before the first step, too.

    Attributes:
        peak_bytes: the most at a time.
        silent_seconds: the longest time without a line.
    """

    name: str = ""
    wall_seconds: float = 0.0
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    peak_bytes: Counter[str] = field(default_factory=Counter)
    silent_seconds: float = 0.0


class StepWatch:
    """Watches a process, all below it, and the servers that it asks.

    Args:
        servers: processes whose CPU is counted, too, by name.
    """

    def __init__(self, root: psutil.Process, servers: Mapping[str, psutil.Process]) -> None:
        self._root, self._servers = root, servers
        self._lock = Lock()
        # Of each process its kind and CPU seconds as last seen: some end before the command does.
        self._seen = {(p.pid, name): (name, _cpu(p), _cpu(p)) for name, p in servers.items()}
        self._before: Counter[str] = Counter()
        self._started = self._spoken = time.monotonic()
        self.steps = [StepFigures()]

    def line(self, text: str) -> None:
        """Take a line that the command has said."""
        with self._lock:
            self._end_silence()
            if match := _STEP.fullmatch(text):
                self._end_step()
                self.steps.append(StepFigures(match[1]))

    def look(self) -> None:
        """See what the processes have and have used; to be called often."""
        held: Counter[str] = Counter()
        seen = {}
        for process in process_tree(self._root):
            try:
                kind = self._kind(process)
                seen[process.pid, kind] = kind, 0.0, _cpu(process)
                held[kind] += process.memory_full_info().pss
            except psutil.NoSuchProcess:
                continue
        for name, server in self._servers.items():
            seen[server.pid, name] = name, self._seen[server.pid, name][1], _cpu(server)
        with self._lock:
            self._seen |= seen
            self.steps[-1].peak_bytes |= held

    def end(self) -> None:
        """End the last step."""
        with self._lock:
            self._end_silence()
            self._end_step()

    def _kind(self, process: psutil.Process) -> str:
        if process == self._root:
            return DRIVER
        return JVM if process.name() == "java" else WORKERS

    def _end_silence(self) -> None:
        step, now = self.steps[-1], time.monotonic()
        step.silent_seconds = max(step.silent_seconds, now - self._spoken)
        self._spoken = now

    def _end_step(self) -> None:
        used: Counter[str] = Counter()
        for kind, at_first, now in self._seen.values():
            used[kind] += now - at_first  # type: ignore[assignment]
        step, ended = self.steps[-1], time.monotonic()
        step.wall_seconds = ended - self._started
        step.cpu_seconds = {kind: cpu - self._before[kind] for kind, cpu in used.items()}
        self._before, self._started = used, ended


def watched(command: Sequence[str], servers: Mapping[str, psutil.Process]) -> Sequence[StepFigures]:
    """Run a command to its end, handing on what it says.

    Raises SystemExit when it fails.
    """
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        watch, done = StepWatch(psutil.Process(process.pid), servers), Event()

        def look() -> None:
            while not done.wait(_LOOK_SECONDS):
                watch.look()

        looking = Thread(target=look)
        looking.start()
        for line in process.stdout or ():
            print(f"{time.strftime('%H:%M:%S')} {line}", end="", file=sys.stderr, flush=True)
            watch.line(line.rstrip("\n"))
        done.set()
        looking.join()
        watch.end()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return watch.steps


def stack_servers(thrift_port: int) -> dict[str, psutil.Process]:
    """The processes of the local stack whose Thrift server listens on this port."""
    (pid,) = {
        found.pid
        for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.laddr[1:] == (thrift_port,)
    }
    supervisor = psutil.Process(pid).parent()
    servers = supervisor.children() if supervisor else []
    return {f"{server.name()} {server.pid}": server for server in servers}


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
