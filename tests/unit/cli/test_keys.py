import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.keys import app
from recsys.auth.api_keys import KeyRing
from recsys.auth.key_file import load_keys
from recsys.auth.session_tokens import session_user
from recsys.core.errors import InvalidInput, NotFound


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


def test_a_public_key_comes_with_the_secret_that_signs_its_sessions(file: Path) -> None:
    printed = run(file, "create", "--tenant", "demo", "--scope", "read", "--public")
    text, secret = printed.split()
    key = KeyRing(load_keys(file)).authenticate(text)
    assert key
    assert key.session_secret == secret
    assert "  public" in run(file, "list")
    assert secret not in run(file, "list")
    token = run(file, "session", key.key_id, "ann", "--minutes", "5").strip()
    assert session_user(secret, token, time.time()) == "ann"
    assert session_user(secret, token, time.time() + 300) is None


@pytest.mark.parametrize("scope", ["admin", "catalogue:write", "ingest"])
def test_a_public_key_may_not_have_what_pages_must_not_do(file: Path, scope: str) -> None:
    arguments = ["create", "--file", str(file), "--tenant", "demo", "--scope", scope, "--public"]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, InvalidInput)
    assert not file.exists()


def test_a_session_is_of_a_public_key(file: Path) -> None:
    key_id = run(file, "create", "--tenant", "demo", "--scope", "read").split("_")[1]
    result = CliRunner().invoke(app, ["session", "--file", str(file), key_id, "ann"])
    assert isinstance(result.exception, NotFound)


def test_the_file_is_the_one_that_gateways_take_of_the_same_variable(file: Path) -> None:
    given = {"HOME": str(file.parent), "RECSYS_API_KEYS": "~/keys.toml\n"}
    arguments = ["create", "--tenant", "demo", "--scope", "read"]

    assert CliRunner().invoke(app, arguments, env=given).exit_code == 0
    assert [key.tenant for key in load_keys(file)] == ["demo"]
    given["RECSYS_API_KEYS"] = "~nobody-of-this-name/keys.toml"
    assert "there is no such home" in CliRunner().invoke(app, arguments, env=given).output
