"""`recsys shops check`: all faults of all shops in one run."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.shops import app
from recsys.auth.api_keys import Scope
from recsys.auth.key_file import create_key
from recsys.config import shop as shipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "shops"
    folder.mkdir()
    shutil.copy(Path(shipped.__file__).with_name("shop.toml"), folder / "demo.toml")
    return folder


def check(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments], env=environment)


def test_sound_settings_end_well(folder: Path) -> None:
    result = check(RECSYS_SHOP_CONFIG=str(folder))
    assert result.exit_code == 0, result.output
    assert "1 shop has sound settings" in result.output

    shutil.copy(folder / "demo.toml", folder / "books.toml")

    assert "2 shops have sound settings" in check(RECSYS_SHOP_CONFIG=str(folder)).output


def test_every_fault_of_every_file_is_said_and_the_exit_code_is_2(folder: Path) -> None:
    (folder / "books.toml").write_text("half_life_days = 0\n[event_types]\nview = {weight = nan}\n")
    (folder / "shoes.toml").write_text("[x")
    result = check(str(folder))
    assert result.exit_code == 2
    books = f"error: {folder / 'books.toml'}: "
    for line in (
        books + "half_life_days: must be greater than 0",
        books + "event_types.view.weight: must be a finite number",
        books + "goals: 'purchase' is not one of the event_types",
        f"error: {folder / 'shoes.toml'} is not valid TOML",
    ):
        assert line in result.output


def test_a_shop_without_a_key_is_a_warning(folder: Path) -> None:
    keys = folder.parent / "keys.toml"
    create_key(keys, "other", [Scope.READ])
    result = check(str(folder), RECSYS_API_KEYS=str(keys))
    assert result.exit_code == 0
    assert f"warning: {folder / 'demo.toml'}: demo has no API key" in result.output
    create_key(keys, "demo", [Scope.READ])
    assert "warning" not in check(str(folder), RECSYS_API_KEYS=str(keys)).output
