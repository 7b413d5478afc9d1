"""Everything that can differ between two stacks, worked out once at the start."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from infra.local.errors import StackError
from infra.local.ports import DEFAULT_STACK, Ports
from infra.local.replicas import USUAL_REPLICAS, Service, replicas_from

REPOSITORY = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
REDIS_MEMORY = "1gb"
MAVEN_CENTRAL = "https://repo1.maven.org/maven2"
# Linux takes 107 bytes; supervisord first binds `<path>.<its pid>`, and HAProxy does alike.
_SOCKET_PATH_LIMIT = 107 - len(".4194304")


@dataclass(frozen=True, slots=True)
class Settings:
    """One stack: its name, folder and ports, and the servers of the user's own that it uses."""

    name: str
    home: Path
    ports: Ports
    run_dir: Path
    jar_cache: Path
    maven_url: str = MAVEN_CENTRAL
    java_home: Path | None = None
    haproxy_binary: Path | None = None
    external_hbase: str | None = None
    external_hbase_admin: str | None = None
    external_hbase_thrift2: str | None = None
    external_redis: str | None = None
    redis_memory: str = REDIS_MEMORY
    replicas: Mapping[Service, int] = field(default_factory=USUAL_REPLICAS.copy)
    autoscale: bool = False
    compression: bool = True

    @classmethod
    def load(
        cls,
        name: str = DEFAULT_STACK,
        environ: Mapping[str, str] = os.environ,
        root: Path = REPOSITORY,
    ) -> Self:
        """The stack `name` of the checkout `root`, as the environment variables shape it.

        Raises StackError if the name or a variable makes no sense.
        """
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", name):
            raise StackError(
                f"{name!r} is not a stack name: use up to 20 letters a-z, digits and dashes"
            )
        home = root / ".local" / name
        ports = Ports.load(name, environ)
        embedded_hbase = f"{LOOPBACK}:{ports.hbase_thrift}"
        external_hbase = _own_server(name, environ, "HBASE_THRIFT", embedded_hbase)
        return cls(
            name=name,
            home=home,
            ports=ports,
            run_dir=_run_dir(home),
            jar_cache=_jar_cache(environ, root),
            maven_url=environ.get("MAVEN_REPOSITORY_URL") or MAVEN_CENTRAL,
            java_home=_path_or_none(environ.get("JAVA_HOME")),
            haproxy_binary=_path_or_none(environ.get("HAPROXY_BIN")),
            external_hbase=external_hbase,
            external_hbase_admin=(external_hbase and environ.get("HBASE_THRIFT_ADMIN")) or None,
            external_hbase_thrift2=(external_hbase and environ.get("HBASE_THRIFT2")) or None,
            external_redis=_own_server(name, environ, "REDIS_URL", _redis_url(ports)),
            redis_memory=environ.get("RECSYS_REDIS_MEMORY") or REDIS_MEMORY,
            replicas=replicas_from(environ),
            autoscale=_is_on(environ, "RECSYS_AUTOSCALE", default="off"),
            compression=_is_on(environ, "RECSYS_COMPRESSION", default="on"),
        )

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def config(self) -> Path:
        return self.home / "conf"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def tls(self) -> Path:
        return self.home / "tls"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def api_keys(self) -> Path:
        return self.home / "api_keys.toml"

    @property
    def storefront_keys(self) -> Path:
        return self.home / "storefront_keys.toml"

    @property
    def shop_url(self) -> str:
        return f"{self.url}/shop"

    @property
    def redis_url(self) -> str:
        return self.external_redis or _redis_url(self.ports)

    @property
    def hbase_thrift(self) -> str:
        return self.external_hbase or f"{LOOPBACK}:{self.ports.hbase_thrift}"

    @property
    def hbase_thrift2(self) -> str | None:
        """None where HBase is the user's own and no such server of it was named."""
        if self.external_hbase:
            return self.external_hbase_thrift2
        return f"{LOOPBACK}:{self.ports.hbase_thrift2}"

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.http}"

    @property
    def https_url(self) -> str:
        return f"https://{LOOPBACK}:{self.ports.https}"


def _redis_url(ports: Ports) -> str:
    return f"redis://{LOOPBACK}:{ports.redis}/0"


def _path_or_none(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def _is_on(environ: Mapping[str, str], variable: str, default: str) -> bool:
    value = environ.get(variable) or default
    if value not in ("on", "off"):
        raise StackError(f"{variable}={value!r}: say on or off")
    return value == "on"


def _own_server(stack: str, environ: Mapping[str, str], variable: str, embedded: str) -> str | None:
    """The user's own server named by `variable`; None if the stack is to start its embedded one.

    `python -m infra.local env` exports the embedded addresses too (and RECSYS_STACK): in a shell
    that has taken them, they do not name a server of the user's own.
    """
    address = environ.get(variable)
    if not address or address == embedded or environ.get("RECSYS_STACK", stack) != stack:
        return None
    return address


def _run_dir(home: Path) -> Path:
    """Folder of the unix sockets: in `home`, or under /tmp where that path would be too long."""
    run_dir = home / "run"
    if len(os.fsencode(run_dir / "supervisor.sock")) <= _SOCKET_PATH_LIMIT:
        return run_dir
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:10]
    # make_folders checks that nobody else has it.
    return Path("/tmp") / f"recsys-{os.getuid()}-{digest}"  # noqa: S108 - a short path is the point


def _jar_cache(environ: Mapping[str, str], root: Path) -> Path:
    """RECSYS_CACHE, else the user's cache folder, else (no writable home) the checkout's own."""
    if environ.get("RECSYS_CACHE"):
        return Path(environ["RECSYS_CACHE"]).expanduser() / "jars"
    home = environ.get("HOME")
    base = environ.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else None)
    if base and _can_hold_folders(Path(base)):
        return Path(base) / "recsys" / "jars"
    return root / ".local" / "cache" / "jars"


def _can_hold_folders(folder: Path) -> bool:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
