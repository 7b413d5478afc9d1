"""The stack as a whole: bring it up, take it down, look at it."""

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path

import psutil

from infra.local.errors import StackError, StartError, StopError
from infra.local.hbase_distribution.jar_lock import read_lock
from infra.local.hbase_distribution.jars import JarCache
from infra.local.processes import leftovers, preflight, probes
from infra.local.processes.program import Program
from infra.local.processes.progress import Reporter
from infra.local.processes.readiness import await_ready, reason_unready
from infra.local.processes.status import NOT_STARTED, ProcessStatus
from infra.local.processes.supervision import ALIVE, Supervisor, render
from infra.local.replicas import Service, check_count, spare_replicas
from infra.local.scaling import autoscaler
from infra.local.scaling.scale import Change, change_to, running_replicas
from infra.local.servers import environment, haproxy, hbase, services, valkey
from infra.local.servers.java import java_home
from infra.local.servers.keys import ensure_demo_key, ensure_storefront_keys
from infra.local.servers.tables import ensure_tables
from infra.local.servers.templates import write
from infra.local.settings import Settings

_LOCK_SECONDS = 300
# All tiers one after the other, each at its slowest, and some more.
_SHUTDOWN_SECONDS = 90
_POLL_SECONDS = 0.2


class Parts(StrEnum):
    """Extent of the stack that `up` starts."""

    STORES = "stores"
    ALL = "all"


class Stack:
    """The servers and services of `settings`, under one supervisord."""

    def __init__(self, settings: Settings, reporter: Reporter | None = None) -> None:
        self.settings = settings
        self._supervisor = Supervisor(settings)
        self._reporter = reporter or Reporter(quiet=True)

    def up(self, only: Parts = Parts.ALL) -> None:
        """Start what does not run yet and return when all of it works. Doing so twice is harmless.

        Raises StackError, with what to do, if that cannot be; what has started by then goes on.
        """
        wanted = [p for p in self._programs if self._is_wanted(p, only)]
        with self._locked():
            self._prepare(wanted)
            self._start([p for p in wanted if p.tier == "stores"])
            with self._reporter.step("tables"):
                ensure_tables(self.settings, self._java, self._jars.folder)
            if only is Parts.ALL:
                ensure_demo_key(self.settings)
                ensure_storefront_keys(self.settings)
                self._start([p for p in wanted if p.tier in ("services", "gateways")])
                self._start([p for p in wanted if p.tier == "edge"])

    def down(self) -> None:
        """Stop everything, in the opposite order. The data stays.

        Raises StopError if a process could not be ended.
        """
        with self._locked():
            if self._supervisor.is_running():
                with self._reporter.step("stopping"):
                    self._shut_down()
            self._end_leftovers()
            shutil.rmtree(self.settings.run_dir, ignore_errors=True)

    def scale(self, service: Service, count: int) -> Change:
        """Have `count` replicas of a service, and return when new ones serve and old ones are gone.

        Those that go are told so first: what they were asked, they answer. Raises StackError if
        the stack does not run or has no room for so many, StartError if a new one does not serve.
        """
        check_count(service, count, f"{service} replicas")
        with self._locked():
            change = change_to(service, count, self.running(service))
            by_name = {program.name: program for program in services.programs(self.settings)}
            new = [by_name[name] for name in change.start]
            preflight.check_ports(self.settings, new)
            self._start(new)
            self._supervisor.stop(by_name[name] for name in change.stop)
        return change

    def running(self, service: Service) -> list[str]:
        """The replicas that are meant to run. Raises StackError if the stack does not."""
        if not self._supervisor.is_running():
            raise StackError(f"the stack {self.settings.name} does not run: start it with `up`")
        return running_replicas(service, self._supervisor.processes())

    def kill(self, name: str) -> None:
        """End a process as a crash would (SIGKILL). Raises StackError if it does not run."""
        info = self._supervisor.processes().get(name)
        if info is None or not info.pid:
            raise StackError(f"{name} does not run")
        os.kill(info.pid, signal.SIGKILL)

    def environment(self) -> dict[str, str]:
        """The variables with which Spark jobs, tests and shells find this stack."""
        return environment.for_jobs(self.settings, self._java)

    @contextmanager
    def admin(self) -> Iterator[str]:
        """A thrift2 server, which can create tables, for the length of the block: "HOST:PORT"."""
        if self.settings.external_hbase_admin:
            yield self.settings.external_hbase_admin
        else:
            with hbase.admin_thrift(self.settings, self._java, self._jars.folder) as address:
                yield address

    def fetch(self) -> Path:
        """Have the jars in the cache; returns their folder."""
        missing = sum(jar.size for jar in self._jars.missing())
        if not missing:
            return self._jars.folder
        preflight.check_disk(_existing(self.settings.jar_cache))
        with self._reporter.download("HBase jars", missing) as progress:
            return self._jars.fetch(progress)

    def status(self) -> list[ProcessStatus]:
        """A row for each process of the stack, and for each of the user's own servers it uses."""
        with ThreadPoolExecutor() as pool:
            own = pool.map(self._status_of, self._programs)
            external = [
                ProcessStatus(name, "external", address, problem=reason_unready(probe))
                for name, address, probe in self._external_servers()
            ]
            return [self._status_of_supervisor(), *external, *own]

    @cached_property
    def _java(self) -> Path:
        return java_home(self.settings.java_home)

    @cached_property
    def _jars(self) -> JarCache:
        return JarCache(read_lock(), self.settings.jar_cache, self.settings.maven_url)

    @cached_property
    def _programs(self) -> Sequence[Program]:
        """All that this stack runs itself, in the order in which it starts."""
        stores: list[Program] = []
        if not self.settings.external_redis:
            stores.append(valkey.program(self.settings))
        if not self.settings.external_hbase:
            stores += hbase.programs(self.settings, self._java, self._jars.folder)
        return [
            *stores,
            *services.programs(self.settings),
            services.storefront(self.settings),
            haproxy.program(self.settings),
            autoscaler.program(self.settings),
        ]

    def _is_wanted(self, program: Program, only: Parts) -> bool:
        if only is Parts.STORES:
            return program.tier == "stores"
        if program.name == autoscaler.NAME:
            return self.settings.autoscale
        return program.name not in spare_replicas(self.settings.replicas)

    def _prepare(self, wanted: Sequence[Program]) -> None:
        """Everything short of starting the programs: checks, files, jars, supervisord."""
        if not self._supervisor.is_running():
            self._end_leftovers()
            self._forget_damaged_home()
        preflight.make_folders(self.settings)
        self._check_machine(wanted)
        self._check_external_servers()
        with self._reporter.step("configuration"):
            self._render()
        if not self.settings.external_hbase:
            self.fetch()
        with self._reporter.step("supervisor"):
            if self._supervisor.is_running():
                self._supervisor.update()
            else:
                self._supervisor.launch()

    def _check_machine(self, wanted: Sequence[Program]) -> None:
        preflight.check_disk(self.settings.home)
        infos = self._supervisor.processes()
        idle = [p for p in wanted if p.name not in infos or infos[p.name].state not in ALIVE]
        preflight.check_ports(self.settings, idle)
        if idle and (warning := preflight.memory_warning()):
            self._reporter.note(warning)

    def _check_external_servers(self) -> None:
        for name, address, probe in self._external_servers():
            if reason := reason_unready(probe):
                raise StartError(f"{name} at {address} does not work: {reason}")

    def _external_servers(self) -> Iterator[tuple[str, str, Callable[[], None]]]:
        if address := self.settings.external_redis:
            yield "redis", address, partial(probes.redis_ping, address)
        if address := self.settings.external_hbase:
            yield "hbase-thrift", address, partial(probes.hbase, address)

    def _render(self) -> None:
        hbase.render(self.settings)
        valkey.render(self.settings)
        haproxy.render(self.settings)
        write(self._supervisor.config, render(self.settings, self._programs))

    def _start(self, programs: Sequence[Program]) -> None:
        if programs:
            self._supervisor.stop(p for p in programs if self._hangs(p))
            self._supervisor.start(programs)
            await_ready(self.settings, self._supervisor, programs, self._reporter)

    def _hangs(self, program: Program) -> bool:
        """Does it run long enough to be ready, and is not? Then only a new start can help."""
        info = self._supervisor.processes().get(program.name)
        if info is None or info.state != "RUNNING":
            return False
        age_seconds = time.time() - info.started_at
        return age_seconds > program.ready_seconds and reason_unready(program.probe) is not None

    def _shut_down(self) -> None:
        self._supervisor.shutdown()
        deadline = time.monotonic() + _SHUTDOWN_SECONDS
        while leftovers.find(self.settings) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def _forget_damaged_home(self) -> None:
        """Start from nothing if somebody deleted the stack's folder while it ran.

        Until they ended, its processes went on writing there: data that are no whole.
        """
        if not self._supervisor.config.exists():
            shutil.rmtree(self.settings.home, ignore_errors=True)

    def _end_leftovers(self) -> None:
        """End what a killed supervisord, or a shutdown that took too long, left behind."""
        stubborn = leftovers.end(self.settings)
        if stubborn:
            names = ", ".join(f"{p.name()} (pid {p.pid})" for p in stubborn)
            raise StopError(f"could not be ended even by SIGKILL: {names}")

    def _status_of_supervisor(self) -> ProcessStatus:
        pid = self._supervisor.pid()
        if not pid:
            return ProcessStatus("supervisord", NOT_STARTED, "")
        started_at = int(psutil.Process(pid).create_time())
        return ProcessStatus("supervisord", "RUNNING", "", pid, started_at)

    def _status_of(self, program: Program) -> ProcessStatus:
        port = str(self.settings.ports[program.ports[0]]) if program.ports else ""
        info = self._supervisor.processes().get(program.name)
        # supervisord says STOPPED only of what it was told to stop, or not yet to start.
        if info is None or info.state == "STOPPED":
            return ProcessStatus(program.name, NOT_STARTED, port)
        alive = info.state in ALIVE
        problem = reason_unready(program.probe) if alive else info.description
        return ProcessStatus(program.name, info.state, port, info.pid, info.started_at, problem)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One `up` or `down` at a time. Raises StackError after waiting long for another."""
        with preflight.open_lock(self.settings) as file:
            deadline = time.monotonic() + _LOCK_SECONDS
            while not _lock(file.fileno()):
                if time.monotonic() > deadline:
                    raise StackError(f"another `up` or `down` holds {file.name} since long")
                time.sleep(_POLL_SECONDS)
            yield


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
