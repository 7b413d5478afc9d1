"""Rewrite `jars.lock` from Maven's resolution of HBase and its Thrift servers.

For maintainers who move to another HBase: needs `mvn` on PATH and the network.

    python -m infra.local.hbase_distribution.lock_jars
"""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from infra.local.hbase_distribution.jar_lock import LOCK_FILE, Jar, format_lock

HBASE_VERSION = "2.6.4-hadoop3"
# No -hadoop3 build of hbase-thrift exists: the newest plain one runs on the -hadoop3 server's jars,
# so its own dependencies (and libthrift's) are left out.
THRIFT_VERSION = "2.6.1"
LIBTHRIFT_VERSION = "0.14.1"
COPY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>hbase-jars</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.hbase</groupId><artifactId>hbase-server</artifactId>
      <version>{HBASE_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.hbase</groupId><artifactId>hbase-thrift</artifactId>
      <version>{THRIFT_VERSION}</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.thrift</groupId><artifactId>libthrift</artifactId>
      <version>{LIBTHRIFT_VERSION}</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
  </dependencies>
</project>
"""

HEADER = f"""\
# HBase {HBASE_VERSION} and its Thrift servers ({THRIFT_VERSION}): sha256, bytes, Maven path.
# Written by `python -m infra.local.hbase_distribution.lock_jars`; do not edit.
"""


def resolve(folder: Path) -> list[Jar]:
    """Let Maven copy every runtime jar into `folder`, laid out as in a repository."""
    (folder / "pom.xml").write_text(POM, encoding="utf-8")
    library = folder / "lib"
    options = [
        "-DincludeScope=runtime",
        "-Dmdep.useRepositoryLayout=true",
        f"-DoutputDirectory={library}",
    ]
    subprocess.run(["mvn", "-B", "-q", "-ntp", COPY_PLUGIN, *options], cwd=folder, check=True)
    jars = [_describe(jar, library) for jar in library.rglob("*.jar")]
    return sorted(jars, key=lambda jar: jar.path)


def _describe(jar: Path, library: Path) -> Jar:
    digest = hashlib.sha256(jar.read_bytes()).hexdigest()
    return Jar(jar.relative_to(library).as_posix(), digest, jar.stat().st_size)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        jars = resolve(Path(folder))
    LOCK_FILE.write_text(HEADER + format_lock(jars), encoding="utf-8")
    print(f"{LOCK_FILE}: {len(jars)} jars, {sum(jar.size for jar in jars) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
