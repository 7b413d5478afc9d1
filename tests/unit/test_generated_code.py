"""recsys/rpc is committed, so that nobody needs the generator to run the product."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STUBS = Path("recsys/rpc/v1")


def test_the_stubs_are_what_the_protos_generate(tmp_path: Path) -> None:
    protos = sorted(str(path) for path in (ROOT / "proto").rglob("*.proto"))
    outputs = [
        f"--{kind}_out={tmp_path}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")
    ]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT / 'proto'}", *outputs, *protos]
    # The generators of type stubs are found on PATH.
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    subprocess.run(command, check=True, env=environment, capture_output=True)

    generated = {path.name: path.read_text() for path in (tmp_path / STUBS).iterdir()}
    committed = {
        path.name: path.read_text()
        for path in (ROOT / STUBS).iterdir()
        if path.is_file() and path.name != "__init__.py"
    }
    assert committed == generated, "run `make proto` and commit what it changes"
