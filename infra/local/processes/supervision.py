"""supervisord: its configuration, and talking to it over its unix socket."""

import http.client
import os
import re
import resource
import shlex
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.errors import StartError
from infra.local.processes.leftovers import marked_environment
from infra.local.processes.logs import tail
from infra.local.processes.program import TIERS, Program
from infra.local.settings import REPOSITORY, Settings

_RPC_TIMEOUT_SECONDS = 40  # longer than the longest stop of one program
_START_SECONDS = 15
_START_RETRIES = 10
_OPEN_FILES = 8192
_ALREADY_STARTED, _NOT_RUNNING, _ALREADY_ADDED = 60, 70, 90
ALIVE = frozenset({"STARTING", "RUNNING", "STOPPING"})


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """State of a program as supervisord reports it.

    Attributes:
        state: STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED or FATAL.
        started_at: unix seconds; 0 if it never was.
    """

    name: str
    state: str
    pid: int
    started_at: int
    description: str


@dataclass(frozen=True, slots=True)
class Supervisor:
    """The supervisord of one stack, running or not."""

    settings: Settings

    @property
    def socket(self) -> Path:
        return self.settings.run_dir / "supervisor.sock"

    @property
    def config(self) -> Path:
        return self.settings.config / "supervisord.conf"

    @property
    def log(self) -> Path:
        return self.settings.logs / "supervisord.log"

    def is_running(self) -> bool:
        """Does it answer? A stale socket or pid file of a killed one does not count."""
        try:
            return self._state() == "RUNNING"
        except (OSError, http.client.HTTPException):
            return False

    def launch(self) -> None:
        """Start it, detached from this terminal, with the configuration as it is now.

        Raises StartError if it does not answer in time.
        """
        self.socket.unlink(missing_ok=True)
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.config)]
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=marked_environment(self.settings),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        deadline = time.monotonic() + _START_SECONDS
        while done.returncode == 0 and time.monotonic() < deadline:
            if self.is_running():
                return
            time.sleep(0.05)
        problem = f"supervisord did not start: {done.stderr.strip()}"
        raise StartError(f"{problem}\nend of {self.log}:\n{tail(self.log)}")

    def update(self) -> None:
        """Make a running one take over a changed configuration; programs it changes are stopped."""
        with _rpc(self.socket) as rpc:
            ((added, changed, removed),) = rpc.supervisor.reloadConfig()
            for group in [*changed, *removed]:
                rpc.supervisor.stopProcessGroup(group)
                rpc.supervisor.removeProcessGroup(group)
            for group in [*added, *changed]:
                _tolerating(_ALREADY_ADDED, rpc.supervisor.addProcessGroup, group)

    def start(self, programs: Iterable[Program]) -> None:
        """Start those that do not run, without waiting for them."""
        with _rpc(self.socket) as rpc:
            for program in programs:
                _tolerating(_ALREADY_STARTED, rpc.supervisor.startProcess, _full(program), False)

    def stop(self, programs: Iterable[Program]) -> None:
        """Stop those that run, and wait until they have ended."""
        with _rpc(self.socket) as rpc:
            for program in programs:
                _tolerating(_NOT_RUNNING, rpc.supervisor.stopProcess, _full(program))

    def processes(self) -> dict[str, ProcessInfo]:
        """By program name; empty when supervisord does not run."""
        try:
            with _rpc(self.socket) as rpc:
                infos = rpc.supervisor.getAllProcessInfo()
        except (OSError, http.client.HTTPException):
            return {}
        return {
            info["name"]: ProcessInfo(
                info["name"],
                info["statename"],
                info["pid"],
                info["start"],
                info["spawnerr"] or info["description"],
            )
            for info in infos
        }

    def pid(self) -> int:
        """Its own process; 0 when it does not run."""
        try:
            with _rpc(self.socket) as rpc:
                return int(rpc.supervisor.getPID())
        except (OSError, http.client.HTTPException):
            return 0

    def shutdown(self) -> None:
        """Tell it to stop everything, tier by tier, and then itself; does not wait."""
        with _rpc(self.socket) as rpc:
            rpc.supervisor.shutdown()

    def _state(self) -> str:
        with _rpc(self.socket) as rpc:
            return str(rpc.supervisor.getState()["statename"])


def render(settings: Settings, programs: Sequence[Program]) -> str:
    """The configuration file text for `programs`. None starts by itself: `up` says when.

    Raises StartError for what supervisord's configuration cannot express.
    """
    if "%" in str(settings.home):
        # It expands the paths of logs twice, so that no escape helps.
        raise StartError(f"supervisord cannot use {settings.home}: move it to a path without %")
    supervisor = Supervisor(settings)
    daemon = {
        "logfile": supervisor.log,
        "logfile_maxbytes": "5MB",
        "logfile_backups": 1,
        "pidfile": settings.run_dir / "supervisord.pid",
        "childlogdir": settings.logs,
        "minfds": _open_files(),
        "umask": "077",
    }
    if os.getuid() == 0:
        daemon["user"] = 0  # says that running as root is meant
    sections = [
        _section("unix_http_server", {"file": supervisor.socket, "chmod": "0700"}),
        _section("supervisord", daemon),
        _section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
        *(_program(settings, program) for program in programs),
        *_groups(programs),
    ]
    return "\n".join(sections)


def _program(settings: Settings, program: Program) -> str:
    values = {
        "command": shlex.join(program.command),
        "directory": REPOSITORY,
        "autostart": "false",
        "autorestart": "true",
        "startsecs": program.stable_seconds,
        "startretries": _START_RETRIES,
        "stopsignal": program.stop_signal,
        "stopwaitsecs": program.stop_seconds,
        "stopasgroup": "true",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": log_file(settings, program.name),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": 2,
        "environment": _environment(program.environment),
    }
    return _section(f"program:{program.name}", values)


def _groups(programs: Sequence[Program]) -> list[str]:
    members = {tier: [p.name for p in programs if p.tier == tier] for tier in TIERS}
    return [
        _section(f"group:{tier}", {"programs": ",".join(names), "priority": 10 * place})
        for place, (tier, names) in enumerate(members.items(), start=1)
        if names
    ]


def log_file(settings: Settings, name: str) -> Path:
    return settings.logs / f"{name}.log"


def _section(name: str, values: dict[str, Any]) -> str:
    lines = [f"{key} = {_escaped(str(value))}" for key, value in values.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def _escaped(value: str) -> str:
    """supervisord expands `%`, and takes ; or # after a blank for a comment."""
    if re.search(r"[\r\n]|\s[;#]", value):
        raise StartError(f"supervisord cannot take {value!r}: move the checkout to a plainer path")
    return value.replace("%", "%%")


def _environment(variables: Mapping[str, str]) -> str:
    return ",".join(f"{name}={_quoted(value)}" for name, value in variables.items())


def _quoted(value: str) -> str:
    """supervisord knows quotes of both kinds, and no escapes."""
    quote = "'" if '"' in value else '"'
    if quote in value:
        raise StartError(f"supervisord cannot pass on {value!r}: it has both kinds of quotes")
    return f"{quote}{value}{quote}"


def _open_files() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)


def _full(program: Program) -> str:
    return f"{program.tier}:{program.name}"


def _tolerating(code: int, call: Any, *arguments: Any) -> None:
    try:
        call(*arguments)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode != code:
            raise


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        """The one connection, kept where `close` looks for it."""
        _, connection = self._connection
        if connection is None:
            connection = _UnixConnection(self._path)
            self._connection = host, connection
        return connection


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_RPC_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _rpc(path: Path) -> Any:
    return xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(path))
