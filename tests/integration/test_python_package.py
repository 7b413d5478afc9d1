"""The Python client as a package of its own."""

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

from infra.local.bootstrap import ensure_uv

_PACKAGE = Path(__file__).parents[2] / "clients/python"


def test_the_wheel_works_without_this_repository(tmp_path: Path) -> None:
    build = [ensure_uv(), "build", "--wheel", "--out-dir", tmp_path, "--python", sys.executable]
    subprocess.run([*build, _PACKAGE], check=True, capture_output=True, cwd=tmp_path)
    [wheel] = tmp_path.glob("recsys_client-*.whl")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)

    [description] = installed.glob("*.dist-info/METADATA")
    metadata = Parser().parsestr(description.read_text())
    assert metadata.get_all("Requires-Dist") == ["httpx>=0.28", "pydantic>=2.10"]
    assert (installed / "recsys_client/py.typed").exists()
    code = "import recsys_client as c, sys; c.Client('http://a', 'k').close(); print(c.__file__)"
    # -P: not the current folder; what it needs beside comes from this environment.
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={"PYTHONPATH": str(installed)},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(str(installed))
