from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.keys import app
from recsys.auth.api_keys import KeyRing
from recsys.auth.key_file import load_keys


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def run(file: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"RECSYS_API_KEYS": str(file)})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_key_is_made_listed_and_revoked(file: Path) -> None:
    text = run(file, "create", "--tenant", "demo", "--scope", "read", "--scope", "ingest").strip()
    key = KeyRing(load_keys(file)).authenticate(text)
    assert key
    listed = run(file, "list")
    assert listed.startswith(f"{key.key_id}  demo  catalogue:write,events:write,read  ")
    assert text.rpartition("_")[2] not in listed
    run(file, "revoke", key.key_id)
    assert run(file, "list") == ""


def test_a_key_needs_a_known_scope(file: Path) -> None:
    arguments = ["create", "--file", str(file), "--tenant", "demo", "--scope", "everything"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert not file.exists()


def test_a_key_says_when_it_expires(file: Path) -> None:
    run(file, "create", "--tenant", "demo", "--scope", "admin", "--expires", "2100-01-31")
    assert "  demo  admin  " in run(file, "list")
    assert run(file, "list").endswith("  expires 2100-01-31T00:00:00+00:00\n")
