"""Programs that the product is compared with, behind the same HAProxy."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.serving.chains import Chain, own_settings, pids_of
from infra.local.processes import preflight
from infra.local.processes.program import python_module
from infra.local.processes.readiness import reason_unready
from infra.local.servers import haproxy
from infra.local.servers.keys import ensure_demo_key
from infra.local.servers.tables import DEMO_TENANT
from infra.local.settings import LOOPBACK, Settings

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0
# That of infra/haproxy/haproxy.cfg.
_ALGORITHM = "leastconn"

Commands = Mapping[str, Sequence[str]]


@contextmanager
def hello(name: str) -> Iterator[Chain]:
    """Two processes that answer without asking anybody."""
    settings = own_settings(name, {})
    ports = settings.ports
    command = python_module("benchmarks.serving.hello")
    commands = {
        "gateway-1": [*command, "--port", str(ports.gateway_1)],
        "gateway-2": [*command, "--port", str(ports.gateway_2)],
    }
    with _behind_haproxy(settings, commands) as pids:
        yield Chain(settings, "", pids)


@contextmanager
def plain_path(name: str, stores: Settings) -> Iterator[Chain]:
    """Two gateways and two recommenders as they are usually built, on the same Redis."""
    settings = own_settings(name, {})
    ports = settings.ports
    key = ensure_demo_key(settings)
    target = f"ipv4:{LOOPBACK}:{ports.recommender_1},{LOOPBACK}:{ports.recommender_2}"
    gateway = (*python_module("benchmarks.peers.plain_path.gateway"), "--recommenders", target)
    gateway += ("--api-keys", str(settings.api_keys), "--port")
    recommender = python_module("benchmarks.peers.plain_path.recommender")
    recommender += ("--redis", stores.redis_url, "--tenant", DEMO_TENANT, "--port")
    commands = {
        "recommender-1": [*recommender, str(ports.recommender_1)],
        "recommender-2": [*recommender, str(ports.recommender_2)],
        "gateway-1": [*gateway, str(ports.gateway_1)],
        "gateway-2": [*gateway, str(ports.gateway_2)],
    }
    with _behind_haproxy(settings, commands) as pids:
        yield Chain(settings, key, {**pids_of(stores), **pids})


@contextmanager
def other_balance(name: str, chain: Chain, algorithm: str) -> Iterator[Chain]:
    """A second HAProxy before the same gateways, which chooses among them in another way."""
    own, gateways = own_settings(name, {}), chain.settings.ports
    numbers = {port: n for port, n in gateways.items() if port.startswith("gateway")}
    settings = replace(own, ports=replace(own.ports, **numbers))
    others = {process: pid for process, pid in chain.pids.items() if process != "haproxy"}
    with _behind_haproxy(settings, {}, algorithm) as pids:
        yield Chain(settings, chain.key, {**others, **pids}, counts_answers=True)


@contextmanager
def _behind_haproxy(
    settings: Settings, commands: Commands, algorithm: str = _ALGORITHM
) -> Iterator[dict[str, int]]:
    """Process ids by name. Raises SystemExit, with what it said, when it does not work in time."""
    preflight.make_folders(settings)
    haproxy.render(settings)
    choose(settings.config / "haproxy.cfg", algorithm)
    balancer = haproxy.program(settings)
    given = os.environ | balancer.environment
    with ExitStack() as running:
        pids = {
            name: running.enter_context(_process(command, settings.logs / f"{name}.log", given))
            for name, command in {**commands, "haproxy": balancer.command}.items()
        }
        give_up = time.monotonic() + _START_SECONDS
        while reason := reason_unready(balancer.probe):
            if time.monotonic() > give_up:
                raise SystemExit(f"{settings.name} did not start ({reason}): see {settings.logs}")
            time.sleep(0.1)
        yield pids


def choose(config: Path, algorithm: str) -> None:
    """Replace how the balancer chooses."""
    text = config.read_text(encoding="utf-8")
    if text.count(f"balance {_ALGORITHM}") != 1:
        raise SystemExit(f"{config} does not say once how to balance")
    text = text.replace(f"balance {_ALGORITHM}", f"balance {algorithm}")
    config.write_text(text, encoding="utf-8")


@contextmanager
def _process(command: Sequence[str], log: Path, given: Mapping[str, str]) -> Iterator[int]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=given, stdout=file, stderr=subprocess.STDOUT)
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
