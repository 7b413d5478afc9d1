"""CUDA's libraries, as the wheels of the `gpu` extra bring them.

The extension of `implicit` names libraries that those wheels put where no loader looks. A library
that is in the process already is not looked for, so they are loaded beforehand. librmm is not among
them: `import rmm` loads it in the same way.
"""

import ctypes
import importlib.util
from collections.abc import Iterable
from pathlib import Path

# Each after those that it needs itself.
LIBRARIES = ("libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10")


def preload(folders: Iterable[Path]) -> tuple[str, ...]:
    """Load CUDA's libraries from the first folder that has them, else from where the system does.

    Returns:
        The names of those that are nowhere, or cannot be loaded.
    """
    folders = tuple(folders)
    return tuple(name for name in LIBRARIES if not _loaded(name, folders))


def wheel_folders() -> list[Path]:
    """Folders of NVIDIA's libraries: nvidia/*/lib of each place packages are in."""
    spec = importlib.util.find_spec("nvidia")
    places = spec.submodule_search_locations if spec else None
    return [folder for place in places or () for folder in sorted(Path(place).glob("*/lib"))]


def _loaded(name: str, folders: tuple[Path, ...]) -> bool:
    path = next((folder / name for folder in folders if (folder / name).is_file()), Path(name))
    try:
        ctypes.CDLL(str(path))
    except OSError:
        return False
    return True
