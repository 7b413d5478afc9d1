"""Detection of a GPU that `implicit` can train on, or of what is missing.

The extension of `implicit` names libraries of CUDA that the wheels of the `gpu` extra put where no
loader looks. A library that is in the process already is not looked for, so they are loaded
beforehand. librmm is not among them: `import rmm` loads it in the same way.
"""

import ctypes
import importlib
import importlib.metadata
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.core.errors import ConfigurationError

# What the wheel of implicit 0.7.3 is built for: CUDA 13, and code for compute capability 8.0 on. On
# an older device its kernels do not start, and it does not say so.
LEAST_DRIVER = (13, 0)
LEAST_CAPABILITY = (8, 0)

# Of CUDA. Each after those that it needs itself.
LIBRARIES = ("libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10")
# Of CUdevice_attribute in cuda.h.
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76
_RUNTIME = "libcudart.so.13"  # loaded by then, so that its name is enough
_ON_THE_CPU = "or train on the CPU (device: cpu)"


@dataclass(frozen=True)
class Gpu:
    """The device that CUDA takes when it is not told which.

    Attributes:
        name: as the driver calls it.
        driver: the newest CUDA that the driver can run, such as (13, 0).
        capability: compute capability, such as (9, 0).
    """

    name: str
    driver: tuple[int, int]
    capability: tuple[int, int]


def read_gpu(driver: Any) -> Gpu:
    """Description of the first device by the driver library.

    Raises:
        ConfigurationError: when it shows none, or one that will not do.
    """
    count, version = ctypes.c_int(), ctypes.c_int()
    status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
    if status or not count.value:
        raise ConfigurationError(
            f"the NVIDIA driver shows no GPU (status {status}): check nvidia-smi and "
            f"CUDA_VISIBLE_DEVICES, {_ON_THE_CPU}"
        )
    driver.cuDriverGetVersion(ctypes.byref(version))
    found = Gpu(
        name=_name(driver),
        driver=(version.value // 1000, version.value % 1000 // 10),
        capability=(_attribute(driver, _CAPABILITY_MAJOR), _attribute(driver, _CAPABILITY_MINOR)),
    )
    _check(found)
    return found


def find_gpu() -> Gpu:
    """The GPU of this machine, with all that it takes to train on it.

    Raises:
        ConfigurationError: saying what is missing and what to do.
    """
    gpu = read_gpu(_driver())
    load_extension()
    return gpu


def load_extension() -> Any:
    """The CUDA extension of `implicit`: the classes Matrix, CSRMatrix and LeastSquaresSolver.

    Not by way of `implicit.gpu`: that decides on its first import, maybe long before the libraries
    were loaded, and only warns.

    Raises:
        ConfigurationError: saying what to install.
    """
    missing = preload(wheel_folders())
    if missing:
        raise ConfigurationError(_install(f"{', '.join(missing)} not found"))
    try:
        importlib.import_module("rmm")
        return importlib.import_module("implicit.gpu._cuda")
    except ImportError as error:
        raise ConfigurationError(_install(str(error))) from error


def gpu_versions(gpu: Gpu) -> dict[str, str]:
    """Versions that a model records of its training: packages, CUDA, driver, name of the device."""
    runtime = ctypes.c_int()
    ctypes.CDLL(_RUNTIME).cudaRuntimeGetVersion(ctypes.byref(runtime))
    packages = {name: importlib.metadata.version(name) for name in ("implicit", "numpy")}
    return packages | {
        "rmm": str(importlib.import_module("rmm").__version__),
        "cuda": f"{runtime.value // 1000}.{runtime.value % 1000 // 10}",
        "cuda_driver": ".".join(map(str, gpu.driver)),
        "gpu": gpu.name,
    }


def _driver() -> Any:
    try:
        return ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise ConfigurationError(
            f"this machine has no NVIDIA driver ({error}): install version 580 or newer, "
            f"{_ON_THE_CPU}"
        ) from error


def _check(gpu: Gpu) -> None:
    if gpu.driver < LEAST_DRIVER:
        raise ConfigurationError(
            f"the NVIDIA driver is made for CUDA {gpu.driver[0]}.{gpu.driver[1]}, wanted is 13.0: "
            f"update it to version 580 or newer, {_ON_THE_CPU}"
        )
    if gpu.capability < LEAST_CAPABILITY:
        raise ConfigurationError(
            f"{gpu.name} has compute capability {gpu.capability[0]}.{gpu.capability[1]}, implicit "
            f"needs 8.0 (Ampere) or newer: take another GPU, {_ON_THE_CPU}"
        )


def _install(problem: str) -> str:
    return (
        f"CUDA for training is not installed ({problem}): run `make setup` on the machine with "
        f"the GPU, or `pip install 'recsys[gpu]'`, {_ON_THE_CPU}"
    )


def _name(driver: Any) -> str:
    name = ctypes.create_string_buffer(256)
    driver.cuDeviceGetName(name, len(name), 0)
    return name.value.decode(errors="replace")


def _attribute(driver: Any, attribute: int) -> int:
    value = ctypes.c_int()
    driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, 0)
    return value.value


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
