"""Ways from a load balancer to answers, all up at once: ours, a bare hello, the plain path."""

import os
import re
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.peers.measure import Laps
from infra.local.ports import field_name
from infra.local.processes.supervision import Supervisor
from infra.local.servers.keys import ensure_demo_key
from infra.local.settings import LOOPBACK, Settings
from infra.local.stack import Parts, Stack

# The source of an answer, and whether it is degraded, as metrics spell it.
Answered = tuple[str, str]
# The process that writes what the services log to files.
LOGS = "logs"


@dataclass(frozen=True)
class Chain:
    """Address and key of a running chain, and the processes behind it.

    Attributes:
        settings: of the stack, ports above all.
        counts_answers: whether its gateways tell in their metrics what they answered.
        pids: by name, "gateway-2" and so on; LOGS is the supervisor that writes their logs.
    """

    settings: Settings
    key: str
    pids: Mapping[str, int]
    counts_answers: bool = False

    @property
    def url(self) -> str:
        return self.settings.url

    def client(self) -> httpx.Client:
        headers = {"X-API-Key": self.key}
        return httpx.Client(base_url=self.url, headers=headers, timeout=10, trust_env=False)

    def answers(self) -> Counter[Answered]:
        """Count the responses of its gateways so far, by the labels of their counter."""
        found = Counter[Answered]()
        for name in self.pids:
            if kind_of(name) == "gateway":
                port = self.settings.ports[field_name(name)]
                text = httpx.get(f"http://{LOOPBACK}:{port}/metrics", trust_env=False).text
                found += answers_in(text)
        return found

    def cpu_clock(self) -> "CpuClock":
        return CpuClock(self.pids)


class CpuClock:
    """CPU seconds of all threads of a chain's processes, by their kind, since this was made.

    Raises psutil.NoSuchProcess when one has ended: then its figures are worth nothing.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._laps = defaultdict[str, list[Laps]](list)
        for name, pid in pids.items():
            self._laps[kind_of(name)].append(Laps(pid))

    def seconds(self) -> dict[str, float]:
        """To be asked once."""
        return {
            kind: sum(one.lap().cpu_seconds for one in laps) for kind, laps in self._laps.items()
        }


def answers_in(exposition: str) -> Counter[Answered]:
    """The gateway's count of answers, in the text that Prometheus reads."""
    return Counter(
        {
            (sample.labels["source"], sample.labels["degraded"]): int(sample.value)
            for family in text_string_to_metric_families(exposition)
            for sample in family.samples
            if sample.name == "recsys_answers_total"
        }
    )


def kind_of(name: str) -> str:
    """ "gateway" of "gateway-2", "hbase" of "hbase-thrift"."""
    return re.sub(r"-(\d+|thrift2?)$", "", name)


@contextmanager
def stores(name: str, environment: Mapping[str, str]) -> Iterator[Settings]:
    """HBase and Redis of a stack of its own, with nothing in them; all chains share them."""
    stack = Stack(own_settings(name, environment))
    with _gone_afterwards(stack):
        stack.up(Parts.STORES)
        yield stack.settings


@contextmanager
def services(name: str, shared: Settings, environment: Mapping[str, str]) -> Iterator[Chain]:
    """The product's processes behind HAProxy, on stores that run, with settings of their own."""
    addresses = {"REDIS_URL": shared.redis_url, "HBASE_THRIFT": shared.hbase_thrift}
    settings = own_settings(name, {**addresses, **environment})
    stack = Stack(settings)
    with _gone_afterwards(stack):
        with _variables(environment):
            stack.up()
        logs = Supervisor(settings).pid()
        pids = {**pids_of(shared), **pids_of(settings), LOGS: logs}
        yield Chain(settings, ensure_demo_key(settings), pids, counts_answers=True)


@contextmanager
def _gone_afterwards(stack: Stack) -> Iterator[None]:
    """Neither processes nor data of the stack before the block, and none after it."""
    stack.down()
    shutil.rmtree(stack.settings.home, ignore_errors=True)
    try:
        yield
    finally:
        stack.down()
        shutil.rmtree(stack.settings.home, ignore_errors=True)


def own_settings(name: str, variables: Mapping[str, str]) -> Settings:
    """Of a stack on no other stores than the variables name: the caller's are not for load."""
    kept = {k: v for k, v in os.environ.items() if k not in ("REDIS_URL", "HBASE_THRIFT")}
    return Settings.load(name, {**kept, **variables, "RECSYS_STACK": name})


def pids_of(settings: Settings) -> dict[str, int]:
    """Those of all that the supervisor of a stack runs, by their names."""
    processes = Supervisor(settings).processes()
    return {name: info.pid for name, info in processes.items() if info.pid}


@contextmanager
def _variables(environment: Mapping[str, str]) -> Iterator[None]:
    """A supervisor hands its environment on to what it starts."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
