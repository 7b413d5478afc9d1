"""Folders that may not be read are said, and never taken for empty ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unprivileged import printed


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    folder.chmod(0o000)
    try:
        yield
    finally:
        folder.chmod(0o700)


_IMPORTED = """
import sys
from recsys.importing.named_files import named_files

try:
    with named_files([sys.argv[1]]) as files:
        print(*(file.name for file in files))
except OSError as error:
    print(error.strerror, error.filename)
"""


def test_an_import_of_a_folder_leaves_no_part_of_it_out_without_a_word(tmp_path: Path) -> None:
    for name in ("day=1", "day=2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.csv").touch()
    assert printed(_IMPORTED, str(tmp_path)) == "day=1.csv day=2.csv\n"
    with unreadable(tmp_path / "day=2"):
        assert printed(_IMPORTED, str(tmp_path)) == f"Permission denied {tmp_path}/day=2\n"


def test_a_pattern_passes_no_folder_over_without_a_word(tmp_path: Path) -> None:
    for name in ("day=1", "day=2"):
        (tmp_path / name / "hour").mkdir(parents=True)
        (tmp_path / name / "hour" / f"{name}.csv").touch()
    patterns = {
        f"{tmp_path}/*/hour/day*.csv": "day=2",
        f"{tmp_path}/**/*.csv": "day=2",
        f"{tmp_path}/**": "day=2",
        f"{tmp_path}/*/hour/day=2.csv": "day=2/hour",
    }
    for pattern, folder in patterns.items():
        assert "day=2.csv" in printed(_IMPORTED, pattern)
        with unreadable(tmp_path / folder):
            assert printed(_IMPORTED, pattern) == f"Permission denied {tmp_path}/{folder}\n"
        with unreadable(tmp_path / "day=2"):
            assert "day=1.csv" in printed(_IMPORTED, f"{tmp_path}/day=1/*/*.csv")


_LISTED = """
import sys
from pathlib import Path
from recsys.core.errors import InvalidModel
from recsys.stores.model_files import ModelFiles

files = ModelFiles(Path(sys.argv[1]))
try:
    for version in files.versions("shop"):
        files.manifest("shop", version)
except OSError as error:
    print(error.strerror, error.filename)
except InvalidModel as error:
    print(version, "Permission denied" in str(error))
"""


def test_versions_that_may_not_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    version = tmp_path / "shop" / "20261123T020000Z-1a2b3c4d"
    version.mkdir(parents=True)
    (version / "manifest.json").touch()
    with unreadable(tmp_path / "shop"):
        assert printed(_LISTED, str(tmp_path)) == f"Permission denied {tmp_path}/shop\n"
    with unreadable(version):
        assert printed(_LISTED, str(tmp_path)) == f"{version.name} True\n"
