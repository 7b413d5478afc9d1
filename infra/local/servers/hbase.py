"""HBase standalone (master, region server, ZooKeeper in one JVM) and its Thrift servers."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.sax.saxutils import escape

from infra.local.errors import StartError
from infra.local.processes import probes
from infra.local.processes.leftovers import marked_environment
from infra.local.processes.logs import tail
from infra.local.processes.program import Program
from infra.local.servers.templates import fill, write
from infra.local.settings import LOOPBACK, Settings
from recsys.stores.hbase.layout import THRIFT_USER

_MASTER = "org.apache.hadoop.hbase.master.HMaster"
_THRIFT = "org.apache.hadoop.hbase.thrift.ThriftServer"
_THRIFT2 = "org.apache.hadoop.hbase.thrift2.ThriftServer"
_ADMIN_READY_SECONDS = 45

# What HBase 2.6 needs opened on Java 17 and newer.
_OPENED = (
    "java.base/java.lang",
    "java.base/java.lang.reflect",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
)
# At a stop the region server tries long to reach the ZooKeeper that has just ended in the same
# process: 22 seconds with the default pauses. Not for Thrift, whose HBase may be away for
# a while.
_MASTER_OPTIONS = (
    "-Dzookeeper.recovery.retry=1",
    "-Dzookeeper.recovery.retry.intervalmill=50",
    "-Dzookeeper.recovery.retry.maxsleeptime=200",
)
_EXPORTED = ("java.base/jdk.internal.misc", "java.security.jgss/sun.security.krb5")


def render(settings: Settings) -> None:
    """Write HBase's configuration folder and make the folders of its data."""
    ports = settings.ports
    values = {
        "data": escape(str(_data(settings))),
        "zookeeper_port": ports.zookeeper,
        "master_port": ports.hbase_master,
        "regionserver_port": ports.hbase_regionserver,
    }
    write(_conf(settings) / "hbase-site.xml", fill("hbase/hbase-site.xml", values))
    write(_conf(settings) / "log4j.properties", fill("hbase/log4j.properties", {}))
    for folder in ("hbase", "wal", "tmp", "zookeeper"):
        (_data(settings) / folder).mkdir(parents=True, exist_ok=True)


def programs(settings: Settings, java: Path, jars: Path) -> list[Program]:
    """The master, the Thrift server of the stores, and that of the nightly run's time ranges."""
    ports = settings.ports
    command = partial(_command, settings, java, jars)
    master = Program(
        name="hbase",
        tier="stores",
        command=command("640m", _MASTER, *_MASTER_OPTIONS, "start"),
        ports=("hbase_regionserver", "hbase_master", "zookeeper"),
        # All three: a master that gave up leaves the process running without the others.
        probe=partial(
            probes.tcp, LOOPBACK, [ports.zookeeper, ports.hbase_master, ports.hbase_regionserver]
        ),
        stable_seconds=5,
        # Closing all regions was seen to take up to 22 s.
        stop_seconds=30,
    )
    thrift = Program(
        name="hbase-thrift",
        tier="stores",
        command=command("192m", _THRIFT, "-p", str(ports.hbase_thrift), "-b", LOOPBACK, "start"),
        ports=("hbase_thrift",),
        probe=partial(probes.hbase, settings.hbase_thrift),
        # A client of it is to HBase who it is: one who may not create, change or drop a table.
        environment={"HADOOP_USER_NAME": THRIFT_USER},
        stable_seconds=5,
    )
    thrift2 = replace(
        thrift,
        name="hbase-thrift2",
        command=command("128m", _THRIFT2, "-p", str(ports.hbase_thrift2), "-b", LOOPBACK, "start"),
        ports=("hbase_thrift2",),
        probe=partial(probes.tcp, LOOPBACK, [ports.hbase_thrift2]),
    )
    return [master, thrift, thrift2]


@contextmanager
def admin_thrift(settings: Settings, java: Path, jars: Path) -> Iterator[str]:
    """Run a thrift2 server for the length of the block; yields its "HOST:PORT".

    It alone can create namespaces and pre-split tables, and costs a JVM: so it runs only then.
    Raises StartError if it does not listen in time.
    """
    port = settings.ports.hbase_thrift_admin
    command = _command(
        settings, java, jars, "128m", _THRIFT2, "-p", str(port), "-b", LOOPBACK, "start"
    )
    log = settings.logs / "hbase-thrift-admin.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=output, env=marked_environment(settings)
        )
    try:
        _await_listening(port, server, log)
        yield f"{LOOPBACK}:{port}"
    finally:
        server.kill()  # it holds no state
        server.wait()


def _await_listening(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _ADMIN_READY_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return probes.tcp(LOOPBACK, [port])
        except OSError:
            time.sleep(0.1)
    raise StartError(f"HBase's thrift2 server did not come up; end of {log}:\n{tail(log)}")


def _command(
    settings: Settings, java: Path, jars: Path, heap: str, main_class: str, *arguments: str
) -> tuple[str, ...]:
    return (
        str(java / "bin" / "java"),
        f"-Xmx{heap}",
        "-Xms64m",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        # No files in /tmp: neither statistics nor unpacked libraries.
        "-XX:-UsePerfData",
        f"-Djava.io.tmpdir={_data(settings) / 'tmp'}",
        "-Djava.net.preferIPv4Stack=true",
        "-Djava.awt.headless=true",
        "-Dorg.apache.hbase.thirdparty.io.netty.tryReflectionSetAccessible=true",
        "--add-modules=jdk.unsupported",
        *(f"--add-opens={package}=ALL-UNNAMED" for package in _OPENED),
        *(f"--add-exports={package}=ALL-UNNAMED" for package in _EXPORTED),
        "-cp",
        f"{_conf(settings)}:{jars}/*",
        main_class,
        *arguments,
    )


def _conf(settings: Settings) -> Path:
    return settings.config / "hbase"


def _data(settings: Settings) -> Path:
    return settings.data / "hbase"
