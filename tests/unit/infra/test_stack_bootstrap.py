import ast
import hashlib
import itertools
import platform
import runpy
import sys
import zipfile
from pathlib import Path

import pytest

from infra.local import bootstrap

PAGE = """
<a href="https://files/uv-0.9.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl#sha256=0">
<a href="../../packages/uv-1.2.3-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl#sha256=1">
<a href="../../packages/uv-1.2.3-py3-none-manylinux_2_28_aarch64.whl?a=1&amp;b=2#sha256=2">
<a href="../../packages/uv-1.2.3-py3-none-musllinux_1_1_x86_64.whl#sha256=3">
<a href="../../packages/uv-1.2.3-py3-none-macosx_11_0_arm64.whl#sha256=4">
"""


def test_an_old_python_can_read_it() -> None:
    source = Path(bootstrap.__file__).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))


def test_uv_is_pinned_by_version_and_digest() -> None:
    version, digests = bootstrap.pinned(bootstrap.REQUIREMENTS.read_text(encoding="utf-8"))
    assert version
    assert len(digests) >= 4


@pytest.mark.parametrize(
    ("system", "machine", "wheel"),
    [
        ("linux", "x86_64", "manylinux_2_17_x86_64.manylinux2014_x86_64.whl#sha256=1"),
        ("linux", "aarch64", "manylinux_2_28_aarch64.whl?a=1&b=2#sha256=2"),
        ("darwin", "arm64", "macosx_11_0_arm64.whl#sha256=4"),
    ],
)
def test_the_wheel_of_this_machine_is_picked(
    system: str, machine: str, wheel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    url = bootstrap.pick_wheel(PAGE, "https://mirror/simple/uv/", "1.2.3")
    assert url == f"https://mirror/packages/uv-1.2.3-py3-none-{wheel}"


def test_a_machine_without_a_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")
    with pytest.raises(bootstrap.SetupError, match=r"no uv 1\.2\.3 for linux on vax"):
        bootstrap.pick_wheel(PAGE, "https://mirror/simple/uv/", "1.2.3")


def test_a_wheel_that_was_not_released_is_refused_and_a_good_one_unpacked(tmp_path: Path) -> None:
    wheel = tmp_path / "uv-1.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("uv-1.data/scripts/uv", "#!/bin/sh\n")
    with pytest.raises(bootstrap.SetupError, match="does not know"):
        bootstrap.check_digest(wheel, {"0" * 64})
    bootstrap.check_digest(wheel, {hashlib.sha256(wheel.read_bytes()).hexdigest()})
    bootstrap.unpack(wheel, tmp_path / "uv")
    assert (tmp_path / "uv").stat().st_mode & 0o111


def test_a_suitable_python_on_path_stands_in_for_an_unsuitable_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, body in (("python3.13", "exit 127"), ("python3.12", "echo 3.12")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    assert bootstrap.find_interpreter() == str(tmp_path / "python3.12")


def test_without_any_uv_is_asked_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    assert bootstrap.find_interpreter() in bootstrap.SUITABLE


@pytest.mark.parametrize(
    ("variable", "value", "mirror"),
    [
        ("PIP_INDEX_URL", "https://pypi.org/simple/", ""),
        ("PIP_INDEX_URL", "https://mirror/simple", "https://mirror/simple"),
        ("UV_DEFAULT_INDEX", "https://mirror/simple", "https://mirror/simple"),
    ],
)
def test_a_mirror_is_taken_from_the_environment(
    variable: str, value: str, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert bootstrap.find_mirror() == mirror


@pytest.mark.parametrize("driver", [True, False])
def test_only_a_machine_with_an_nvidia_driver_gets_the_cuda_libraries(
    driver: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists = Path.exists
    monkeypatch.setattr(
        Path, "exists", lambda path: driver if path == bootstrap.NVIDIA_DRIVER else exists(path)
    )
    setup = runpy.run_path(str(Path(bootstrap.__file__)), run_name="setup")
    left_out = list(itertools.pairwise(setup["SYNC"])).count(("--no-extra", "gpu"))
    assert left_out == (0 if driver else 1)
    assert "--all-extras" in setup["SYNC"]
