from pathlib import Path

import pytest

from spark_jobs.distributed.memory import available_bytes

GIB = 2**30


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text("MemTotal:  16777216 kB\nMemAvailable:    8388608 kB\n")
    return path


def test_outside_a_container_it_is_what_the_machine_has_left(meminfo: Path, tmp_path: Path) -> None:
    assert available_bytes(meminfo, tmp_path / "none") == 8 * GIB


@pytest.mark.parametrize(
    ("limit", "expected"), [("max", 8 * GIB), (f"{3 * GIB}", 2 * GIB), (f"{99 * GIB}", 8 * GIB)]
)
def test_a_container_may_have_less(
    meminfo: Path, tmp_path: Path, limit: str, expected: int
) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{5 * GIB // 2}\n")
    (tmp_path / "memory.stat").write_text(f"anon {GIB}\ninactive_file {3 * GIB // 2}\n")
    assert available_bytes(meminfo, tmp_path) == expected


def test_this_machine_has_some() -> None:
    assert available_bytes() > 0
