"""Messages where there is no GPU to train on, and the choice of one where there is."""

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from recsys.core.errors import ConfigurationError
from recsys.training.als import AlsSettings, Device, cuda_device, gpu, train, train_als
from recsys.training.als.cuda_device import LIBRARIES, Gpu, preload, read_gpu, wheel_folders
from tests import gpu_twin
from tests.builders import checkerboard

STRENGTHS = csr_matrix(checkerboard(6))


@dataclass
class Driver:
    """Answers as the driver library does, through the pointers it is given."""

    devices: int = 1
    version: int = 13_010
    capability: tuple[int, int] = (9, 0)
    status: int = 0

    def cuInit(self, flags: int) -> int:  # noqa: N802 - the library's names
        return self.status

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        count._obj.value = self.devices
        return 0

    def cuDriverGetVersion(self, version: Any) -> int:  # noqa: N802
        version._obj.value = self.version
        return 0

    def cuDeviceGetName(self, name: Any, length: int, device: int) -> int:  # noqa: N802
        name.value = b"NVIDIA H100"
        return 0

    def cuDeviceGetAttribute(self, value: Any, attribute: int, device: int) -> int:  # noqa: N802
        value._obj.value = self.capability[{75: 0, 76: 1}[attribute]]
        return 0


def test_a_gpu_is_described_as_the_driver_does() -> None:
    assert read_gpu(Driver()) == Gpu("NVIDIA H100", driver=(13, 1), capability=(9, 0))


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        (Driver(devices=0), "shows no GPU"),
        (Driver(status=100), r"shows no GPU \(status 100\)"),
        (Driver(version=12_080), r"made for CUDA 12\.8.*580"),
        (Driver(capability=(7, 5)), r"compute capability 7\.5.*needs 8\.0"),
    ],
)
def test_a_gpu_that_will_not_do_is_named_with_what_to_do(driver: Driver, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_gpu(driver)
    assert "device: cpu" in str(caught.value)


def test_without_a_driver_the_driver_is_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    with pytest.raises(ConfigurationError, match=r"no NVIDIA driver \(libcuda"):
        cuda_device.find_gpu()


def test_without_the_libraries_they_are_named_with_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cuda_device, "preload", lambda _: ("libcublas.so.13",))
    with pytest.raises(ConfigurationError, match=r"libcublas\.so\.13 not found.*recsys\[gpu\]"):
        cuda_device.load_extension()


def test_without_rmm_it_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_device, "preload", lambda _: ())
    monkeypatch.setitem(sys.modules, "rmm", None)
    with pytest.raises(ConfigurationError, match=r"rmm.*recsys\[gpu\]"):
        cuda_device.load_extension()


def test_libraries_are_loaded_from_the_wheels_folder_before_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / LIBRARIES[0]).touch()
    loaded: list[str] = []
    monkeypatch.setattr(ctypes, "CDLL", loaded.append)
    assert preload([tmp_path / "none", tmp_path]) == ()
    assert loaded == [str(tmp_path / LIBRARIES[0]), *LIBRARIES[1:]]


def test_a_library_that_cannot_be_loaded_is_reported(tmp_path: Path) -> None:
    for name in LIBRARIES:
        (tmp_path / name).write_bytes(b"no library")
    assert preload([tmp_path]) == LIBRARIES


def test_the_folders_of_nvidias_wheels_are_found_beside_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nvidia" / "cu13" / "lib").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "nvidia", raising=False)
    assert tmp_path / "nvidia" / "cu13" / "lib" in wheel_folders()


def no_gpu() -> Gpu:
    raise ConfigurationError("no GPU here")


def test_auto_takes_the_cpu_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "find_gpu", no_gpu)
    trained = train_als(STRENGTHS, AlsSettings(factors=4, device=Device.AUTO))
    assert (trained.device, trained.backend) == (Device.CPU, "numba")


def test_a_gpu_that_is_demanded_and_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "find_gpu", no_gpu)
    with pytest.raises(ConfigurationError, match="no GPU here"):
        train_als(STRENGTHS, AlsSettings(factors=4, device=Device.GPU))


@pytest.mark.parametrize("device", [Device.AUTO, Device.GPU])
def test_a_gpu_that_is_there_trains_and_is_recorded(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "find_gpu", lambda: Gpu("NVIDIA H100", (13, 1), (9, 0)))
    monkeypatch.setattr(train, "gpu_versions", lambda found: {"gpu": found.name})
    monkeypatch.setattr(gpu, "load_extension", lambda: gpu_twin)
    trained = train_als(STRENGTHS, AlsSettings(factors=4, alpha=40.0, device=device))
    assert (trained.device, trained.backend) == (Device.GPU, "implicit")
    assert trained.versions == {"gpu": "NVIDIA H100"}
    best = np.argmax(trained.user_factors @ trained.item_factors.T, axis=1)
    assert (STRENGTHS.toarray()[np.arange(6), best] > 0).all()
